"""Research: studies over many trainings, and measurements of data, descriptions and models."""
