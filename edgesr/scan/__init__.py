"""The selective scan: one specification (`reference`), several equal forms."""

from edgesr.scan.reference import selective_scan_reference

selective_scan = selective_scan_reference

__all__ = ["selective_scan", "selective_scan_reference"]
