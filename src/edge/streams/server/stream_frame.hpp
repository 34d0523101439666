// SPDX-License-Identifier: Apache-2.0
// This room is the stream manager towards its clients: frames, connections, operations, the thread
// that they live on, and what the agent sees of it (StreamManager).
//
// Frames as clients send them: one byte with the version of the handshake, then frames of
//   i32 length of what follows | i8 operation | one CBOR map           (big endian)
// A frame that is too large is passed over without being kept. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace andon::edge {

// What all connections together may keep of frames that are on their way.
struct FrameBudget {
  std::size_t bytes_left = 96U << 20U;
};

class StreamFrameReader {
 public:
  struct Limits {
    std::size_t frame_bytes = 64U << 20U;
    std::size_t free_bytes = 64U << 10U;  // a frame up to here takes nothing of the budget
  };
  enum class Kind {
    version,    // `operation` is the byte
    frame,      // `payload` is valid until the next call
    too_large,  // `payload` is how it begins
    malformed,  // nothing comes after it
  };
  struct Event {
    Kind kind = Kind::malformed;
    int operation = 0;
    std::string_view payload;
  };

  StreamFrameReader(Limits limits, std::shared_ptr<FrameBudget> budget)
      : limits_(limits), budget_(std::move(budget)) {}
  StreamFrameReader(const StreamFrameReader&) = delete;
  StreamFrameReader& operator=(const StreamFrameReader&) = delete;
  ~StreamFrameReader() { give_back(); }

  void set_limits(Limits limits) { limits_ = limits; }
  void feed(std::string_view bytes);
  // Nothing where more bytes are needed.
  [[nodiscard]] std::optional<Event> next();

 private:
  std::optional<Event> pass_over();
  void compact();
  void give_back();

  Limits limits_;
  std::shared_ptr<FrameBudget> budget_;
  std::string buffer_;        // while a frame is passed over: how it begins
  std::string rest_;          // what came behind such a frame
  std::string passed_;        // how the last such frame began
  std::size_t at_ = 0;        // what is before it was given out
  std::size_t reserved_ = 0;  // of the budget, for the frame that is on its way
  std::uint64_t left_ = 0;    // of a frame that is passed over
  int passed_operation_ = 0;
  bool has_version_ = false;
  bool is_passing_ = false;
  bool is_malformed_ = false;
};

// A frame as the server sends it.
[[nodiscard]] std::string encode_frame(int operation, std::string_view payload);

}  // namespace andon::edge
