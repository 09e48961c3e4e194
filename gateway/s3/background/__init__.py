"""What goes on behind requests: lifecycle rules, notifications, access logs."""
