// SPDX-License-Identifier: Apache-2.0
// What OnnxRuntime holds: the opened library, its functions, its environment and the memory that it
// uses. Internal to vision/.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "vision/operators/onnxruntime_abi.hpp"
#include "vision/operators/operators.hpp"
#include "vision/runtime/onnxruntime.hpp"
#include "vision/runtime/tensor_memory.hpp"

namespace andon::vision {

struct LibraryCloser {
  void operator()(void* handle) const;
};
using Library = std::unique_ptr<void, LibraryCloser>;

struct OpenedLibrary {
  Library handle;
  base::fs::path path;
};

// The allocator that ONNX Runtime sees; `info` is released by the owner.
struct RegisteredAllocator : abi::OwnAllocator {
  TensorMemory memory;
  abi::MemoryInfo* memory_info = nullptr;

  RegisteredAllocator() : abi::OwnAllocator{abi::kApiVersion, take, put_back, describe, take} {}

  static void* take(abi::OwnAllocator* self, std::size_t bytes) {
    return static_cast<RegisteredAllocator*>(self)->memory.allocate(bytes);
  }
  static void put_back(abi::OwnAllocator* self, void* block) {
    static_cast<RegisteredAllocator*>(self)->memory.give_back(block);
  }
  static const abi::MemoryInfo* describe(const abi::OwnAllocator* self) {
    return static_cast<const RegisteredAllocator*>(self)->memory_info;
  }
};

struct OnnxRuntime::Implementation {
  OpenedLibrary library;
  std::string version;
  abi::Api api{};
  std::unique_ptr<Operators> operators;  // after what its sessions are made of
  RegisteredAllocator allocator;
  abi::Env* env = nullptr;
  bool is_registered = false;
  std::vector<std::string> providers;

  explicit Implementation(const base::fs::path& explicit_path);
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation();

  // Throws what `status` says, if it says anything, and releases it.
  void check(abi::Status* status, std::string_view what_failed,
             base::ErrorCode code = base::ErrorCode::internal) const;
  // The text of a status that is not success; releases it.
  [[nodiscard]] std::string take_reason(abi::Status* status) const;
};

}  // namespace andon::vision
