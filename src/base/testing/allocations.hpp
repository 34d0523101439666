// SPDX-License-Identifier: Apache-2.0
// For tests: counts what this thread allocates. Include it in one file of a test program: its
// operator new serves the whole program.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace andon::base {

inline thread_local std::size_t allocations = 0;

}  // namespace andon::base

void* operator new(std::size_t bytes) {
  ++andon::base::allocations;
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes); block != nullptr) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++andon::base::allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  std::free(block);
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
