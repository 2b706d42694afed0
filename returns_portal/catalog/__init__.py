"""What the shop has: products in sizes and colours, with pictures, prices and stock."""
