"""One room per noun; importing one declares its operations."""
