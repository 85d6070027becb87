"""What is known of boards, one TOML file each, and of the machine that this runs on."""
