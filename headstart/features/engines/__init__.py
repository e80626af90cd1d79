"""Who runs the frozen forward pass: torch or OpenVINO."""
