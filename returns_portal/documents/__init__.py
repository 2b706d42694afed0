"""Documents to print: HTML to PDF, barcodes, fonts, and the processes that make them."""

from returns_portal.documents.pool import DocumentBusyError, DocumentError, DocumentPool, DocumentTimeoutError
from returns_portal.documents.symbols import qr_svg

__all__ = ["DocumentBusyError", "DocumentError", "DocumentPool", "DocumentTimeoutError", "qr_svg"]
