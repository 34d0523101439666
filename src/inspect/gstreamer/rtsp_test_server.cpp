// SPDX-License-Identifier: Apache-2.0
// For tests: network cameras at rtsp://127.0.0.1:PORT, 30 pictures a second of 320x240. /camera is
// a moving ball in Motion JPEG; /h264 and /h265 are colour bars, with a whole picture only every
// two seconds. Prints the port. Usage: rtsp_test_server PORT (0: any).
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

#include <cstdio>
#include <string>

namespace {

// One encoder for all clients: who comes later comes in the middle.
void add_camera(GstRTSPServer* server, const char* path, const std::string& pattern,
                const std::string& encoder) {
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  const std::string launch = "( videotestsrc is-live=true pattern=" + pattern +
                             " ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! " +
                             encoder + " )";
  gst_rtsp_media_factory_set_launch(factory, launch.c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, path, factory);
  g_object_unref(mounts);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  GstRTSPServer* server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, argc > 1 ? argv[1] : "0");
  add_camera(server, "/camera", "ball", "jpegenc ! rtpjpegpay name=pay0 pt=26");
  add_camera(server, "/h264", "smpte",
             "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 "
             "! rtph264pay name=pay0 pt=96 config-interval=-1");
  add_camera(server, "/h265", "smpte",
             "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=60 "
             "! rtph265pay name=pay0 pt=96 config-interval=-1");
  if (gst_rtsp_server_attach(server, nullptr) == 0) {
    std::fprintf(stderr, "rtsp_test_server: cannot listen\n");
    return 1;
  }
  std::printf("%d\n", gst_rtsp_server_get_bound_port(server));
  std::fflush(stdout);
  g_main_loop_run(loop);
}
