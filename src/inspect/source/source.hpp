// SPDX-License-Identifier: Apache-2.0
// Where frames come from. Used by main's thread; what waits for a camera or a decoder does so on a
// thread of the source's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time/time.hpp"
#include "inspect/source/frame.hpp"

namespace andon::inspect {

// Files wait until there is time for them; a live source goes on without the program, so what
// there was no time for is dropped and counted.
enum class SourceKind { files, live };

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  [[nodiscard]] virtual SourceKind kind() const = 0;

  // The next frame if there is one now; never blocks. `spare` gives its buffers if there is one.
  // A picture may be given more than once. Throws where nothing more can come from this source.
  [[nodiscard]] virtual std::optional<Frame> take(base::Timestamp now, Frame&& spare) = 0;

  // A picture that was not complete: to be given again at `when`.
  virtual void give_again(const Frame& frame, base::Timestamp when) = 0;

  // Readable when take() may have something; -1: ask again when look_again_at() says.
  [[nodiscard]] virtual int fd() const = 0;
  [[nodiscard]] virtual std::optional<base::Timestamp> look_again_at(base::Timestamp now) const = 0;

  // Everything that is there now was given.
  [[nodiscard]] virtual bool is_drained() const = 0;
  // Nothing will come any more.
  [[nodiscard]] virtual bool is_finished() const = 0;

  struct Counts {
    std::uint64_t given = 0;
    std::uint64_t dropped = 0;     // for want of time
    std::uint64_t incomplete = 0;  // parts of it were lost on the way
    std::uint64_t reconnects = 0;
  };
  [[nodiscard]] virtual Counts counts() const = 0;
};

}  // namespace andon::inspect
