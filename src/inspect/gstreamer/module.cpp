// SPDX-License-Identifier: Apache-2.0
// andon-inspect-gstreamer.so: pictures out of videos, network cameras and V4L2 devices. One
// pipeline a stream: source, decodebin, videoconvert to RGB, appsink. appsink never drops: what is
// not taken in time waits (a file) or is dropped and counted by andon-inspect (a camera).
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <cstdio>
#include <mutex>
#include <string>

#include "inspect/video/gstreamer_abi.hpp"

namespace abi = andon::inspect::gstreamer_abi;

namespace andon::inspect::gstreamer_abi {

struct Stream {
  GstElement* pipeline = nullptr;
  GstAppSink* sink = nullptr;
  GstSample* sample = nullptr;
  GstVideoFrame frame{};
  bool is_mapped = false;
};

}  // namespace andon::inspect::gstreamer_abi

namespace {

constexpr guint kPicturesInSink = 2;
constexpr gint64 kLongestWaitForWholePicture = 8'000'000;  // microseconds
constexpr guint64 kRtspTimeoutMicroseconds = 5'000'000;

void write(abi::Text reason, const std::string& text) {
  if (reason.text == nullptr || reason.bytes == 0) return;
  std::snprintf(reason.text, reason.bytes, "%s", text.c_str());
}

const char* source_element(abi::Kind kind) {
  switch (kind) {
    case abi::Kind::file:
      return "filesrc";
    case abi::Kind::rtsp:
      return "rtspsrc";
    case abi::Kind::v4l2:
      return "v4l2src";
  }
  return "";
}

// The Debian package that has the element.
const char* package_of(std::string_view element) {
  if (element == "rtspsrc" || element == "v4l2src") return "gstreamer1.0-plugins-good";
  return "gstreamer1.0-plugins-base";
}

std::string description(abi::Kind kind) {
  return std::string(source_element(kind)) +
         " name=source ! decodebin ! videoconvert ! video/x-raw,format=RGB ! "
         "appsink name=sink emit-signals=false enable-last-sample=false";
}

void set_source(GstElement* source, abi::Kind kind, const char* location) {
  if (kind == abi::Kind::v4l2) {
    g_object_set(source, "device", location, nullptr);
    return;
  }
  g_object_set(source, "location", location, nullptr);
  if (kind == abi::Kind::rtsp) {
    // TCP: a switch that loses packets tears UDP pictures. Both timeouts are in microseconds.
    gst_util_set_object_arg(G_OBJECT(source), "protocols", "tcp");
    g_object_set(source, "latency", 100U, "tcp-timeout", kRtspTimeoutMicroseconds, "timeout",
                 kRtspTimeoutMicroseconds, nullptr);
  }
}

// Before a decoder of a camera's stream. Who joins it between two whole pictures, or has lost a
// part of it, would see smears in grey until the next one: they are held back so long.
struct WholePictures {
  bool is_waiting = true;
  // Cameras that renew their picture bit by bit never send a whole one.
  gint64 until = g_get_monotonic_time() + kLongestWaitForWholePicture;
};

GstPadProbeReturn hold_back_parts(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& state = *static_cast<WholePictures*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const bool is_part = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (is_part && !state.is_waiting && GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)) {
    state = WholePictures{};
  }
  if (!is_part || g_get_monotonic_time() > state.until) state.is_waiting = false;
  return state.is_waiting ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

void watch_decoder(GstBin*, GstBin*, GstElement* element, gpointer) {
  const gchar* kind = gst_element_get_metadata(element, GST_ELEMENT_METADATA_KLASS);
  if (kind == nullptr || !std::string_view(kind).starts_with("Codec/Decoder/Video")) return;
  GstPad* pad = gst_element_get_static_pad(element, "sink");
  if (pad == nullptr) return;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, hold_back_parts, new WholePictures,
                    [](gpointer data) { delete static_cast<WholePictures*>(data); });
  gst_object_unref(pad);
}

// The first error on the pipeline's bus, or nothing.
std::string bus_error(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return "";
  GError* error = nullptr;
  gchar* detail = nullptr;
  gst_message_parse_error(message, &error, &detail);
  std::string text = error->message;
  // A missing decoder is said by decodebin in words of its own, which name what to install.
  g_error_free(error);
  g_free(detail);
  gst_message_unref(message);
  return text;
}

void release_picture(abi::Stream& stream) {
  if (stream.is_mapped) gst_video_frame_unmap(&stream.frame);
  stream.is_mapped = false;
  if (stream.sample != nullptr) gst_sample_unref(stream.sample);
  stream.sample = nullptr;
}

void close_stream(abi::Stream* stream) {
  release_picture(*stream);
  if (stream->pipeline != nullptr) gst_element_set_state(stream->pipeline, GST_STATE_NULL);
  if (stream->sink != nullptr) gst_object_unref(stream->sink);
  if (stream->pipeline != nullptr) gst_object_unref(stream->pipeline);
  delete stream;
}

abi::Stream* open_stream(abi::Kind kind, const char* location, abi::Text reason) {
  for (const char* element : {source_element(kind), "decodebin", "videoconvert", "appsink"}) {
    GstElementFactory* factory = gst_element_factory_find(element);
    if (factory == nullptr) {
      write(reason,
            std::string("GStreamer has no ") + element + "; install " + package_of(element));
      return nullptr;
    }
    gst_object_unref(factory);
  }
  auto* stream = new abi::Stream;
  GError* error = nullptr;
  stream->pipeline = gst_parse_launch(description(kind).c_str(), &error);
  if (error != nullptr) {
    write(reason, error->message);
    g_error_free(error);
    close_stream(stream);
    return nullptr;
  }
  if (kind != abi::Kind::file) {
    g_signal_connect(stream->pipeline, "deep-element-added", G_CALLBACK(watch_decoder), nullptr);
  }
  GstElement* source = gst_bin_get_by_name(GST_BIN(stream->pipeline), "source");
  set_source(source, kind, location);
  gst_object_unref(source);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(stream->pipeline), "sink");
  stream->sink = GST_APP_SINK(sink);
  g_object_set(sink, "sync", FALSE, "max-buffers", kPicturesInSink, "drop", FALSE, nullptr);
  if (gst_element_set_state(stream->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    const std::string why = bus_error(stream->pipeline);
    write(reason, why.empty() ? "it cannot be opened" : why);
    close_stream(stream);
    return nullptr;
  }
  return stream;
}

abi::Next next_picture(abi::Stream* stream, int timeout_ms, abi::Picture* picture,
                       abi::Text reason) {
  release_picture(*stream);
  const GstClockTime timeout = static_cast<GstClockTime>(timeout_ms) * GST_MSECOND;
  stream->sample = gst_app_sink_try_pull_sample(stream->sink, timeout);
  if (stream->sample == nullptr) {
    const std::string why = bus_error(stream->pipeline);
    if (!why.empty()) {
      write(reason, why);
      return abi::Next::error;
    }
    return gst_app_sink_is_eos(stream->sink) != FALSE ? abi::Next::end : abi::Next::timeout;
  }
  GstVideoInfo info;
  if (gst_video_info_from_caps(&info, gst_sample_get_caps(stream->sample)) == FALSE ||
      gst_video_frame_map(&stream->frame, &info, gst_sample_get_buffer(stream->sample),
                          GST_MAP_READ) == FALSE) {
    write(reason, "GStreamer gave a picture that cannot be read");
    return abi::Next::error;
  }
  stream->is_mapped = true;
  picture->rgb = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&stream->frame, 0));
  picture->row_bytes = static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&stream->frame, 0));
  picture->width = GST_VIDEO_FRAME_WIDTH(&stream->frame);
  picture->height = GST_VIDEO_FRAME_HEIGHT(&stream->frame);
  return abi::Next::picture;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const abi::Functions* andon_inspect_gstreamer() {
  static std::once_flag once;
  std::call_once(once, [] { gst_init(nullptr, nullptr); });
  static const abi::Functions functions{abi::kVersion, open_stream, next_picture, close_stream};
  return &functions;
}
