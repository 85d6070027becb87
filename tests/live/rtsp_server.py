"""An RTSP server by GStreamer's own library, for the system's Python, which has its bindings.

    python3 rtsp_server.py PORT FOLDER

/ball is a test picture to be played; the frames of what is published on /live go into a folder.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PLAYED = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=10/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 )"
)
RECORDED = (
    "( rtph264depay name=depay0 ! avdec_h264 ! videoconvert ! video/x-raw,format=RGB ! "
    "pngenc snapshot=false ! multifilesink location={folder}/%05d.png )"
)


def main() -> None:
    port, folder = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(port)
    played = GstRtspServer.RTSPMediaFactory()
    played.set_launch(PLAYED)
    recorded = GstRtspServer.RTSPMediaFactory()
    recorded.set_launch(RECORDED.format(folder=folder))
    recorded.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    points = server.get_mount_points()
    points.add_factory("/ball", played)
    points.add_factory("/live", recorded)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
