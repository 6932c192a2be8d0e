"""Users of the account, and how they log in: by password, by key pair, by OAuth token."""
