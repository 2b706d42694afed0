"""What is sent anew because of a claim: set aside as it is decided, and packed beside exchanges."""
