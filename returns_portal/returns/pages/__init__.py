"""What the customer's pages show, put into words. Part of the face: it may read every capability's records."""
