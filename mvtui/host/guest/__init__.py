"""What a guest tells: its hypervisor's control socket, and its console's log."""
