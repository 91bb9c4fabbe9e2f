"""Predicts what one machine does with a load: a discrete-event simulation of the pipeline."""
