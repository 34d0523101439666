// SPDX-License-Identifier: Apache-2.0
// Between andon-inspect and andon-inspect-aravis.so, which is opened only where a GigE Vision or
// USB3 Vision camera is wanted. Plain C types; the version is checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inspect/modules/module_text.hpp"

namespace andon::inspect::aravis_abi {

inline constexpr int kVersion = 1;
inline constexpr const char* kEntry = "andon_inspect_aravis";

struct Camera;

// A GenICam feature and what it is set to; a command has an empty value.
struct Feature {
  const char* name;
  const char* value;
};

// What makes the camera take a picture: nothing but time, one of its inputs, or trigger().
enum class Trigger : int { none, input, software };

// Valid until the camera is closed.
struct Description {
  Trigger trigger;
  const char* pixel_format;   // GenICam's name of it: "BayerRG8"
  const char* pixel_formats;  // those that it has, with blanks in between
};

// As the camera sent it, valid until the next call on the camera.
struct Picture {
  const std::uint8_t* bytes;
  std::size_t size;
  int width;
  int height;
};

// incomplete: packets of a picture were lost.
enum class Next : int { picture, incomplete, timeout, error };

struct Functions {
  int version;
  // Sets the features in their order and starts to take pictures; null and a reason where that is
  // impossible. Waits some seconds at most.
  Camera* (*open)(const char* name, const Feature* features, std::size_t count, Description*,
                  ModuleText reason);
  // error, with a reason, where the camera has gone.
  Next (*next)(Camera*, int timeout_ms, Picture*, ModuleText reason);
  // Takes one picture. 0, or -1 and a reason.
  int (*trigger)(Camera*, ModuleText reason);
  void (*close)(Camera*);
};

}  // namespace andon::inspect::aravis_abi
