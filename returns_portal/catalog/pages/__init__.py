"""What the storefront shows. Part of the face: it may read every capability's records."""
