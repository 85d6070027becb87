"""Closing the windows of a screen as a window manager does: a message that asks them to."""

import ctypes


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent; the union of all events has 24 long integers."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    ]


def close_windows(screen: str) -> None:
    """Ask every window of a screen to close."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XDefaultRootWindow.restype = ctypes.c_ulong
    x.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x.XOpenDisplay(screen.encode()))
    windows = ctypes.POINTER(ctypes.c_ulong)()
    count = ctypes.c_uint()
    unused = ctypes.c_ulong()
    root = ctypes.c_ulong(x.XDefaultRootWindow(display))
    x.XQueryTree(
        *(display, root, ctypes.byref(unused), ctypes.byref(unused)),
        *(ctypes.byref(windows), ctypes.byref(count)),
    )
    for window in windows[: count.value]:
        event = _ClientMessage(
            type=33,  # ClientMessage
            window=window,
            message_type=x.XInternAtom(display, b"WM_PROTOCOLS", 0),
            format=32,
        )
        event.data[0] = x.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
        x.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    x.XCloseDisplay(display)
