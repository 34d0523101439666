// SPDX-License-Identifier: Apache-2.0
// Counts fsync() and fdatasync() in the eight bytes of the file that FSYNC_COUNT names, which every
// process of the server maps.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

std::atomic<std::uint64_t>* counter() {
  static std::atomic<std::uint64_t>* const shared = []() -> std::atomic<std::uint64_t>* {
    const char* path = std::getenv("FSYNC_COUNT");
    const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return nullptr;
    void* memory = mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<std::uint64_t>*>(memory);
  }();
  return shared;
}

int counted(const char* name, int fd) {
  if (auto* shared = counter()) shared->fetch_add(1, std::memory_order_relaxed);
  using Sync = int (*)(int);
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(fd);
}

}  // namespace

extern "C" int fsync(int fd) {
  return counted("fsync", fd);
}
extern "C" int fdatasync(int fd) {
  return counted("fdatasync", fd);
}
