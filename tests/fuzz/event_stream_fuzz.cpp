// SPDX-License-Identifier: Apache-2.0
// Bytes in two pieces give the same messages as in one, and each message encodes to the bytes that
// it was decoded from (checksums are mended first, else nothing gets past them).
#include <algorithm>
#include <boost/crc.hpp>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "wire/ipc/event_stream.hpp"

namespace {

using andon::wire::EventStreamDecoder;
using andon::wire::EventStreamMessage;

void put_crc(std::string& frame, std::size_t at) {
  boost::crc_32_type crc;
  crc.process_bytes(frame.data(), at);
  const auto sum = crc.checksum();
  for (std::size_t i = 0; i < 4; ++i) {
    frame[at + i] = static_cast<char>(static_cast<std::uint8_t>(sum >> (24 - 8 * i)));
  }
}

std::vector<EventStreamMessage> decode(std::string_view first, std::string_view second) {
  std::vector<EventStreamMessage> messages;
  EventStreamDecoder decoder(1U << 20U);
  for (const auto piece : {first, second}) {
    decoder.feed(piece);
    while (auto message = decoder.next()) messages.push_back(*std::move(message));
  }
  return messages;
}

void check(std::string_view bytes) {
  try {
    const auto whole = decode(bytes, {});
    const auto pieces = decode(bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2));
    if (whole.size() != pieces.size()) std::abort();
    std::string again;
    for (const auto& message : whole) {
      again += andon::wire::encode_event_stream(message);
      try {
        static_cast<void>(andon::wire::to_rpc(message));
      } catch (const andon::base::Error&) {
        // Not a message of the RPC.
      }
    }
    if (bytes.substr(0, again.size()) != again) std::abort();
  } catch (const andon::base::Error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  if (size < 16 || size > 0xFFFF) return 0;
  bytes[0] = bytes[1] = '\0';
  bytes[2] = static_cast<char>(static_cast<std::uint8_t>(size >> 8U));
  bytes[3] = static_cast<char>(static_cast<std::uint8_t>(size));
  put_crc(bytes, 8);
  put_crc(bytes, size - 4);
  check(bytes);
  return 0;
}
