// SPDX-License-Identifier: Apache-2.0
// Gathers the bytes of a body: in memory up to a limit, beyond it in an unlinked temporary file,
// which the kernel frees with the last descriptor, even after a crash. Used by one thread at a
// time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "wire/http/http.hpp"

namespace andon::wire {

class BodySpool {
 public:
  BodySpool(base::fs::path directory, std::size_t in_memory_bytes)
      : directory_(std::move(directory)), in_memory_bytes_(in_memory_bytes) {}

  // Would append() go to the disk? Then it may block.
  [[nodiscard]] bool uses_disk_for(std::size_t more) const {
    return static_cast<bool>(file_) || memory_.size() + more > in_memory_bytes_;
  }
  // What is there, as long as none of it is on the disk.
  [[nodiscard]] const std::string& memory() const { return memory_; }
  // Throws resource_exhausted and the like, naming the directory, where the disk does not take it.
  void append(std::string_view bytes);
  [[nodiscard]] Body finish();

 private:
  base::fs::path directory_;
  std::size_t in_memory_bytes_;
  std::string memory_;
  base::UniqueFd file_;
  std::uint64_t file_size_ = 0;
};

}  // namespace andon::wire
