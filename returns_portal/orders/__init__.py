"""Orders as the shop took them: imported, put by API, frozen to the unit."""
