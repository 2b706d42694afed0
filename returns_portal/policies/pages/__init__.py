"""What the admin's page of the policy shows, put into words. Part of the face: it may read every record."""
