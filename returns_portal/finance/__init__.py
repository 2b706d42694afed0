"""What finance sees: waiting decisions, reports, exports, the proof of the books."""
