"""Several sizes on trial: ordered together, tried at home, and only what stays is paid for."""
