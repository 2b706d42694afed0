"""A returns-management portal for online shops of clothing and shoes."""
