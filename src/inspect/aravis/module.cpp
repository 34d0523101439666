// SPDX-License-Identifier: Apache-2.0
// andon-inspect-aravis.so: pictures of GigE Vision and USB3 Vision cameras by Aravis. A camera is
// opened with control of it, its features are set, and it fills a few buffers in turn; one that was
// not taken in time is filled again.
#include <arv.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "inspect/video/aravis_abi.hpp"

namespace abi = andon::inspect::aravis_abi;
using andon::inspect::ModuleText;

namespace andon::inspect::aravis_abi {

struct Camera {
  ArvCamera* camera = nullptr;
  ArvStream* stream = nullptr;
  ArvBuffer* buffer = nullptr;        // of the picture that was given last
  std::atomic<bool> is_lost = false;  // Aravis' own thread says so
  std::string pixel_format;
  std::string pixel_formats;
};

}  // namespace andon::inspect::aravis_abi

namespace {

constexpr int kBuffers = 4;
constexpr guint kLargestPicture = 256U << 20U;  // bytes, as of a file
constexpr const char* kGone = "the camera has gone, or another program has taken control of it";

void write(ModuleText reason, const std::string& text) {
  if (reason.text == nullptr || reason.bytes == 0) return;
  std::snprintf(reason.text, reason.bytes, "%s", text.c_str());
}

// Where a function of Aravis says what went wrong.
class Fault {
 public:
  Fault() = default;
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
  ~Fault() { g_clear_error(&error_); }

  [[nodiscard]] GError** at() { return &error_; }
  [[nodiscard]] explicit operator bool() const { return error_ != nullptr; }
  [[nodiscard]] std::string text() const { return error_ == nullptr ? "" : error_->message; }

 private:
  GError* error_ = nullptr;
};

void close_camera(abi::Camera* camera) {
  if (camera->camera != nullptr) {
    g_signal_handlers_disconnect_by_data(arv_camera_get_device(camera->camera), camera);
    if (!camera->is_lost) {
      Fault ignored;
      arv_camera_stop_acquisition(camera->camera, ignored.at());
    }
  }
  g_clear_object(&camera->buffer);
  g_clear_object(&camera->stream);
  g_clear_object(&camera->camera);
  delete camera;
}

void note_loss(ArvDevice*, abi::Camera* camera) {
  camera->is_lost = true;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

// Each gives why the feature cannot be set, or nothing.
std::string set_integer(ArvDevice* device, const abi::Feature& feature) {
  gint64 value = 0;
  if (!read_number(feature.value, value)) return "a whole number is needed";
  Fault fault;
  arv_device_set_integer_feature_value(device, feature.name, value, fault.at());
  return fault.text();
}

std::string set_float(ArvDevice* device, const abi::Feature& feature) {
  double value = 0;
  if (!read_number(feature.value, value)) return "a number is needed";
  Fault fault;
  arv_device_set_float_feature_value(device, feature.name, value, fault.at());
  return fault.text();
}

std::string set_boolean(ArvDevice* device, const abi::Feature& feature) {
  const std::string_view value = feature.value;
  if (value != "true" && value != "false") return "true or false is needed";
  Fault fault;
  arv_device_set_boolean_feature_value(device, feature.name, value == "true" ? TRUE : FALSE,
                                       fault.at());
  return fault.text();
}

std::string set_feature(ArvDevice* device, const abi::Feature& feature) {
  ArvGcNode* node = arv_device_get_feature(device, feature.name);
  if (node == nullptr) return "the camera has no such feature";
  // An enumeration is an integer, too.
  if (ARV_IS_GC_INTEGER(node) && !ARV_IS_GC_ENUMERATION(node)) return set_integer(device, feature);
  if (ARV_IS_GC_FLOAT(node)) return set_float(device, feature);
  if (ARV_IS_GC_BOOLEAN(node)) return set_boolean(device, feature);
  Fault fault;
  if (ARV_IS_GC_COMMAND(node)) {
    arv_device_execute_command(device, feature.name, fault.at());
  } else {
    arv_device_set_string_feature_value(device, feature.name, feature.value, fault.at());
  }
  return fault.text();
}

bool is_available(ArvCamera* camera, const char* feature) {
  Fault fault;
  return arv_camera_is_feature_available(camera, feature, fault.at()) != FALSE && !fault;
}

std::string text_feature(ArvCamera* camera, const char* feature) {
  if (!is_available(camera, feature)) return "";
  Fault fault;
  const char* text = arv_camera_get_string(camera, feature, fault.at());
  return text == nullptr || fault ? "" : text;
}

abi::Trigger trigger_of(ArvCamera* camera) {
  if (text_feature(camera, "TriggerMode") != "On") return abi::Trigger::none;
  return text_feature(camera, "TriggerSource") == "Software" ? abi::Trigger::software
                                                             : abi::Trigger::input;
}

std::string formats_of(ArvCamera* camera) {
  Fault fault;
  guint count = 0;
  const char** formats =
      arv_camera_dup_available_pixel_formats_as_strings(camera, &count, fault.at());
  std::string text;
  for (guint i = 0; formats != nullptr && i < count; ++i) {
    if (!text.empty()) text += ' ';
    text += formats[i];
  }
  g_free(formats);
  return text;
}

std::string configure(ArvCamera* camera, const abi::Feature* features, std::size_t count) {
  ArvDevice* device = arv_camera_get_device(camera);
  arv_device_set_range_check_policy(device, ARV_RANGE_CHECK_POLICY_ENABLE);
  if (is_available(camera, "AcquisitionMode")) {
    Fault fault;
    arv_camera_set_acquisition_mode(camera, ARV_ACQUISITION_MODE_CONTINUOUS, fault.at());
    if (fault) return fault.text();
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::string problem = set_feature(device, features[i]);
    if (problem.empty()) continue;
    return std::string(features[i].name) + '=' + features[i].value + ": " + problem;
  }
  return "";
}

std::string start(abi::Camera& camera) {
  Fault fault;
  const guint bytes = arv_camera_get_payload(camera.camera, fault.at());
  if (fault) return fault.text();
  if (bytes == 0 || bytes > kLargestPicture) {
    return "its pictures have " + std::to_string(bytes) + " bytes; at most " +
           std::to_string(kLargestPicture) + " are taken";
  }
  camera.stream = arv_camera_create_stream(camera.camera, nullptr, nullptr, fault.at());
  if (camera.stream == nullptr || fault) return fault.text();
  for (int i = 0; i < kBuffers; ++i) {
    arv_stream_push_buffer(camera.stream, arv_buffer_new_allocate(bytes));
  }
  arv_camera_start_acquisition(camera.camera, fault.at());
  return fault.text();
}

abi::Camera* open_camera(const char* name, const abi::Feature* features, std::size_t count,
                         abi::Description* description, ModuleText reason) {
  Fault fault;
  auto* camera = new abi::Camera;
  camera->camera = arv_camera_new(name, fault.at());
  if (camera->camera == nullptr || fault) {
    write(reason, fault ? fault.text() : "there is no such camera");
    close_camera(camera);
    return nullptr;
  }
  g_signal_connect(arv_camera_get_device(camera->camera), "control-lost", G_CALLBACK(note_loss),
                   camera);
  std::string problem = configure(camera->camera, features, count);
  if (problem.empty()) {
    camera->pixel_format = text_feature(camera->camera, "PixelFormat");
    camera->pixel_formats = formats_of(camera->camera);
    problem = start(*camera);
  }
  if (!problem.empty()) {
    write(reason, problem);
    close_camera(camera);
    return nullptr;
  }
  *description = {trigger_of(camera->camera), camera->pixel_format.c_str(),
                  camera->pixel_formats.c_str()};
  return camera;
}

bool is_image(ArvBuffer* buffer) {
  switch (arv_buffer_get_payload_type(buffer)) {
    case ARV_BUFFER_PAYLOAD_TYPE_IMAGE:
    case ARV_BUFFER_PAYLOAD_TYPE_EXTENDED_CHUNK_DATA:
    case ARV_BUFFER_PAYLOAD_TYPE_MULTIPART:
      return arv_buffer_get_n_parts(buffer) > 0;
    default:
      return false;
  }
}

abi::Next give(ArvBuffer* buffer, abi::Picture* picture, ModuleText reason) {
  if (!is_image(buffer)) {
    write(reason, "the camera sends something else than images");
    return abi::Next::error;
  }
  gint columns = 0;
  gint rows = 0;
  arv_buffer_get_image_padding(buffer, &columns, &rows);
  if (columns != 0) {
    write(reason, "the camera fills its rows up with bytes; choose a width for which it does not");
    return abi::Next::error;
  }
  picture->bytes =
      static_cast<const std::uint8_t*>(arv_buffer_get_image_data(buffer, &picture->size));
  picture->width = arv_buffer_get_image_width(buffer);
  picture->height = arv_buffer_get_image_height(buffer);
  return abi::Next::picture;
}

void release_picture(abi::Camera& camera) {
  if (camera.buffer != nullptr) arv_stream_push_buffer(camera.stream, camera.buffer);
  camera.buffer = nullptr;
}

abi::Next next_picture(abi::Camera* camera, int timeout_ms, abi::Picture* picture,
                       ModuleText reason) {
  constexpr guint64 kMicroseconds = 1000;
  release_picture(*camera);
  camera->buffer = arv_stream_timeout_pop_buffer(camera->stream,
                                                 static_cast<guint64>(timeout_ms) * kMicroseconds);
  if (camera->is_lost) {
    write(reason, kGone);
    return abi::Next::error;
  }
  if (camera->buffer == nullptr) return abi::Next::timeout;
  if (arv_buffer_get_status(camera->buffer) != ARV_BUFFER_STATUS_SUCCESS) {
    release_picture(*camera);
    return abi::Next::incomplete;
  }
  return give(camera->buffer, picture, reason);
}

int trigger(abi::Camera* camera, ModuleText reason) {
  Fault fault;
  arv_camera_software_trigger(camera->camera, fault.at());
  if (!fault) return 0;
  write(reason, fault.text());
  return -1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const abi::Functions* andon_inspect_aravis() {
  static const abi::Functions functions{abi::kVersion, open_camera, next_picture, trigger,
                                        close_camera};
  return &functions;
}
