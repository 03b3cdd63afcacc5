"""What the product must bear: kills, full disks, flipped bits, odd inputs, hostile clients. `python -m hardening`."""
