"""Carriers: who brings parcels back, what a label of theirs costs, and where a parcel is."""
