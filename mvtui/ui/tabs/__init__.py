"""What stands on the tabs of a microVM's page: pure functions of what is known."""
