"""What the shop promises: versions of its policy, and what each says of an item."""
