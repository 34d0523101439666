// SPDX-License-Identifier: Apache-2.0
// For tests, by LD_PRELOAD: a V4L2 camera at /dev/video99 for machines that have none. What
// GStreamer asks the kernel about that device is answered here; all else goes to the kernel. The
// camera gives the bytes of a file, again and again, 30 times a second, and is unplugged while the
// file is not there. ANDON_FAKE_CAMERA: "FOURCC WIDTH HEIGHT FILE", such as "YUYV 64 48
// /tmp/frame".
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <mutex>
#include <string>

namespace {

constexpr const char* kDevice = "/dev/video99";
constexpr std::uint32_t kBufferBytes = 1U << 20U;
constexpr std::uint32_t kBuffers = 4;

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Camera {
  std::mutex mutex;
  struct stat memory {};  // what stands for the device; GStreamer makes copies of descriptors
  bool is_open = false;
  std::array<char, 5> fourcc{};
  unsigned width = 0;
  unsigned height = 0;
  std::array<char, 512> file{};
  std::deque<std::uint32_t> queued;
  std::uint32_t buffers = 0;
  std::uint32_t sequence = 0;

  Camera() {
    const char* text = std::getenv("ANDON_FAKE_CAMERA");
    if (text == nullptr ||
        std::sscanf(text, "%4s %u %u %511s", fourcc.data(), &width, &height, file.data()) != 4) {
      file[0] = '\0';
    }
  }
  [[nodiscard]] bool is_plugged_in() const { return access(file.data(), R_OK) == 0; }
  [[nodiscard]] std::uint32_t format() const {
    return v4l2_fourcc(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
  }
};

Camera& camera() {
  static Camera it;
  return it;
}

int refuse(int error) {
  errno = error;
  return -1;
}

void describe(v4l2_format& format) {
  const Camera& it = camera();
  v4l2_pix_format& pixels = format.fmt.pix;
  pixels = {};
  pixels.width = it.width;
  pixels.height = it.height;
  pixels.pixelformat = it.format();
  pixels.field = V4L2_FIELD_NONE;
  pixels.bytesperline = pixels.pixelformat == V4L2_PIX_FMT_YUYV ? 2 * it.width : 0;
  pixels.sizeimage =
      pixels.pixelformat == V4L2_PIX_FMT_YUYV ? 2 * it.width * it.height : kBufferBytes;
  pixels.colorspace = V4L2_COLORSPACE_SRGB;
}

void describe(v4l2_buffer& buffer) {
  buffer.length = kBufferBytes;
  buffer.m.offset = buffer.index * kBufferBytes;
  buffer.flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  buffer.field = V4L2_FIELD_NONE;
}

// The next picture, in a thirtieth of a second.
int dequeue(int fd, v4l2_buffer& buffer) {
  Camera& it = camera();
  const timespec pause{0, 33'000'000};
  nanosleep(&pause, nullptr);
  const std::lock_guard lock(it.mutex);
  if (!it.is_plugged_in()) return refuse(ENODEV);
  if (it.queued.empty()) return refuse(EAGAIN);
  buffer.index = it.queued.front();
  it.queued.pop_front();
  describe(buffer);
  buffer.sequence = it.sequence++;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  buffer.timestamp = {now.tv_sec, now.tv_nsec / 1000};
  std::string bytes(kBufferBytes, '\0');
  std::FILE* file = std::fopen(it.file.data(), "rb");
  if (file == nullptr) return refuse(ENODEV);
  const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  buffer.bytesused = static_cast<std::uint32_t>(count);
  if (pwrite(fd, bytes.data(), count, buffer.m.offset) < 0) return -1;
  return 0;
}

int answer(int fd, unsigned long request, void* argument) {
  Camera& it = camera();
  switch (request) {
    case VIDIOC_QUERYCAP: {
      auto& capability = *static_cast<v4l2_capability*>(argument);
      capability = {};
      std::strcpy(reinterpret_cast<char*>(capability.driver), "fake");
      std::strcpy(reinterpret_cast<char*>(capability.card), "Fake camera");
      capability.device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      capability.capabilities = capability.device_caps | V4L2_CAP_DEVICE_CAPS;
      return 0;
    }
    case VIDIOC_ENUM_FMT: {
      auto& format = *static_cast<v4l2_fmtdesc*>(argument);
      if (format.index > 0 || format.type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return refuse(EINVAL);
      format.pixelformat = it.format();
      format.flags = format.pixelformat == V4L2_PIX_FMT_YUYV ? 0 : V4L2_FMT_FLAG_COMPRESSED;
      return 0;
    }
    case VIDIOC_ENUM_FRAMESIZES: {
      auto& size = *static_cast<v4l2_frmsizeenum*>(argument);
      if (size.index > 0) return refuse(EINVAL);
      size.type = V4L2_FRMSIZE_TYPE_DISCRETE;
      size.discrete = {it.width, it.height};
      return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
      auto& interval = *static_cast<v4l2_frmivalenum*>(argument);
      if (interval.index > 0) return refuse(EINVAL);
      interval.type = V4L2_FRMIVAL_TYPE_DISCRETE;
      interval.discrete = {1, 30};
      return 0;
    }
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT: {
      auto& format = *static_cast<v4l2_format*>(argument);
      if (format.type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return refuse(EINVAL);
      describe(format);
      return 0;
    }
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
      auto& parameters = *static_cast<v4l2_streamparm*>(argument);
      if (parameters.type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return refuse(EINVAL);
      parameters.parm.capture = {};
      parameters.parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
      parameters.parm.capture.timeperframe = {1, 30};
      return 0;
    }
    case VIDIOC_REQBUFS: {
      auto& wanted = *static_cast<v4l2_requestbuffers*>(argument);
      if (wanted.memory != V4L2_MEMORY_MMAP) return refuse(EINVAL);
      wanted.count = std::min(wanted.count, kBuffers);
      wanted.capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
      it.buffers = wanted.count;
      it.queued.clear();
      return 0;
    }
    case VIDIOC_QUERYBUF: {
      auto& buffer = *static_cast<v4l2_buffer*>(argument);
      if (buffer.index >= it.buffers) return refuse(EINVAL);
      describe(buffer);
      return 0;
    }
    case VIDIOC_QBUF: {
      auto& buffer = *static_cast<v4l2_buffer*>(argument);
      if (buffer.index >= it.buffers) return refuse(EINVAL);
      const std::lock_guard lock(it.mutex);
      it.queued.push_back(buffer.index);
      buffer.flags |= V4L2_BUF_FLAG_QUEUED;
      return 0;
    }
    case VIDIOC_DQBUF:
      return dequeue(fd, *static_cast<v4l2_buffer*>(argument));
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF:
      return 0;
    case VIDIOC_G_INPUT:
      *static_cast<int*>(argument) = 0;
      return 0;
    case VIDIOC_S_INPUT:
      return 0;
    case VIDIOC_ENUMINPUT: {
      auto& input = *static_cast<v4l2_input*>(argument);
      if (input.index > 0) return refuse(EINVAL);
      input = {};
      input.type = V4L2_INPUT_TYPE_CAMERA;
      return 0;
    }
    default:
      return refuse(ENOTTY);
  }
}

int open_camera() {
  Camera& it = camera();
  if (!it.is_plugged_in()) return refuse(ENOENT);
  const int fd = memfd_create("fake camera", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, off_t{kBufferBytes} * kBuffers) != 0) return -1;
  it.is_open = fstat(fd, &it.memory) == 0;
  return fd;
}

int stat_camera(struct stat* about) {
  if (!camera().is_plugged_in()) return refuse(ENOENT);
  *about = {};
  about->st_mode = S_IFCHR | 0660;
  return 0;
}

bool is_camera(int fd) {
  const Camera& it = camera();
  struct stat about {};
  return it.is_open && fstat(fd, &about) == 0 && about.st_ino == it.memory.st_ino &&
         about.st_dev == it.memory.st_dev;
}

bool is_camera(const char* path) {
  return std::strcmp(path, kDevice) == 0;
}

}  // namespace

// The kernel's functions under their own names.
extern "C" {
#pragma GCC visibility push(default)

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (is_camera(path)) return open_camera();
  return next<int(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (is_camera(path)) return open_camera();
  return next<int(const char*, int, ...)>("open64")(path, flags, mode);
}

int stat(const char* path, struct stat* about) {
  if (is_camera(path)) return stat_camera(about);
  return next<int(const char*, struct stat*)>("stat")(path, about);
}

int stat64(const char* path, struct stat64* about) {
  if (is_camera(path)) return stat_camera(reinterpret_cast<struct stat*>(about));
  return next<int(const char*, struct stat64*)>("stat64")(path, about);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  if (is_camera(fd)) return answer(fd, request, argument);
  return next<int(int, unsigned long, ...)>("ioctl")(fd, request, argument);
}

#pragma GCC visibility pop
}
