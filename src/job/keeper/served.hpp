// SPDX-License-Identifier: Apache-2.0
// The keeper of a sandbox that serves whoever started it: a process of its own (andon-job --serve),
// told what to run over a socket, which hands the listener inside the sandbox to the other side,
// holds the sandbox to its limits, and ends it, with all its files, when the socket closes. Nothing
// of it outlives its owner, and no secret of its order is written to a disk.
//
// The socket keeps messages apart (SOCK_SEQPACKET) and is the process's standard input; its
// standard output becomes the command's. To the keeper: the order, then kBusy and kIdle as the
// owner has work for it or not. From it: kStarted with one descriptor, kMemory with a number of
// bytes, and at last a JobResult as text.
#pragma once

#include <cstddef>

#include "job/order/job_directory.hpp"

namespace andon::job {

inline constexpr char kBusy = 'b';
inline constexpr char kIdle = 'i';
inline constexpr char kStarted = 's';
inline constexpr char kMemory = 'm';
inline constexpr std::size_t kMostServedMessage = 128U << 10U;

// The exit code of the process, which has one thread.
[[nodiscard]] int keep_served(const JobDirectory& directory);

}  // namespace andon::job
