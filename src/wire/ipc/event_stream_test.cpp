// SPDX-License-Identifier: Apache-2.0
// The frames in hex were written by AWS's own library (awscrt 0.36, awsiotsdk 1.31).
#include "wire/ipc/event_stream.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::wire {
namespace {

constexpr std::string_view kConnect =
    "0000007900000048e9e79475083a76657273696f6e070005302e312e300d3a6d6573736167652d74797065040000"
    "00040e3a6d6573736167652d666c61677304000000000a3a73747265616d2d696404000000007b22617574685"
    "46f6b656e223a202241424344454647483132333435363738227dca1248df";
constexpr std::string_view kPublish =
    "00000127000000c046fb3d680d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e12"
    "736572766963652d6d6f64656c2d747970650700266177732e677265656e6772617373235075626c697368546f49"
    "6f54436f7265526571756573740d3a6d6573736167652d7479706504000000000e3a6d6573736167652d666c6167"
    "7304000000000a3a73747265616d2d69640400000001096f7065726174696f6e07001f6177732e677265656e6772"
    "617373235075626c697368546f496f54436f72657b22746f7069634e616d65223a2022616e646f6e2f7468696e67"
    "732f6c696e652d312f726573756c7473222c2022716f73223a202231222c20227061796c6f6164223a202265794a"
    "766179493664484a315a58303d227d8367a2bc";
constexpr std::string_view kTerminate =
    "0000004700000037374cfe3f0d3a6d6573736167652d7479706504000000000e3a6d6573736167652d666c616773"
    "04000000020a3a73747265616d2d69640400000003c607a9e3";
constexpr std::string_view kEveryType =
    "000000a10000008dbb6c96d201740001660102693802fe0369313603fed40369333204fffeee900369363405ffff"
    "fffed5fa0e00016206000200ff017307000368c3a402747308000000006b02c62801750900112233445566778899"
    "aabbccddeeff0d3a6d6573736167652d7479706504000000040e3a6d6573736167652d666c61677304000000000a"
    "3a73747265616d2d696404000000000070617920ddd883";

std::string bytes_of(std::string_view hex) {
  return base::from_hex(hex).value();
}

EventStreamMessage decode(std::string_view bytes) {
  EventStreamDecoder decoder;
  decoder.feed(bytes);
  auto message = decoder.next();
  EXPECT_TRUE(message);
  EXPECT_EQ(decoder.buffered(), 0U);
  return message.value_or(EventStreamMessage{});
}

TEST(EventStream, DecodesTheHandshakeOfTheDeviceSdk) {
  const auto rpc = to_rpc(decode(bytes_of(kConnect)));
  EXPECT_EQ(rpc.type, RpcMessageType::connect);
  EXPECT_EQ(rpc.flags, 0);
  EXPECT_EQ(rpc.stream_id, 0);
  EXPECT_EQ(rpc.version, "0.1.0");
  EXPECT_EQ(rpc.payload, R"({"authToken": "ABCDEFGH12345678"})");
}

TEST(EventStream, DecodesARequestOfTheDeviceSdk) {
  const auto rpc = to_rpc(decode(bytes_of(kPublish)));
  EXPECT_EQ(rpc.type, RpcMessageType::application_message);
  EXPECT_EQ(rpc.stream_id, 1);
  EXPECT_EQ(rpc.operation, "aws.greengrass#PublishToIoTCore");
  EXPECT_EQ(rpc.service_model_type, "aws.greengrass#PublishToIoTCoreRequest");
  EXPECT_EQ(
      rpc.payload,
      R"({"topicName": "andon/things/line-1/results", "qos": "1", "payload": "eyJvayI6dHJ1ZX0="})");
}

TEST(EventStream, DecodesTheEndOfAStream) {
  const auto rpc = to_rpc(decode(bytes_of(kTerminate)));
  EXPECT_EQ(rpc.flags, kRpcTerminateStream);
  EXPECT_EQ(rpc.stream_id, 3);
  EXPECT_EQ(rpc.payload, "");
}

TEST(EventStream, DecodesEveryTypeOfHeader) {
  const auto message = decode(bytes_of(kEveryType));
  const std::vector<EventStreamHeader> expected{
      {"t", true},
      {"f", false},
      {"i8", std::int8_t{-2}},
      {"i16", std::int16_t{-300}},
      {"i32", std::int32_t{-70000}},
      {"i64", std::int64_t{-5'000'000'000}},
      {"b", EventStreamBytes{std::string("\0\xFF", 2)}},
      {"s", "h\xC3\xA4"},
      {"ts", EventStreamTimestamp{1795343912}},
      {"u", EventStreamUuid{bytes_of("00112233445566778899aabbccddeeff")}},
      {":message-type", std::int32_t{4}},
      {":message-flags", std::int32_t{0}},
      {":stream-id", std::int32_t{0}}};
  EXPECT_EQ(message.headers, expected);
  EXPECT_EQ(message.payload, std::string("\0pay", 4));
}

TEST(EventStream, EncodesToTheBytesOfTheDeviceSdk) {
  for (const auto hex : {kConnect, kPublish, kTerminate, kEveryType}) {
    EXPECT_EQ(base::to_hex(base::as_bytes(encode_event_stream(decode(bytes_of(hex))))), hex);
  }
}

TEST(EventStream, TakesBytesInWhateverPiecesTheyCome) {
  const auto stream = bytes_of(kConnect) + bytes_of(kPublish) + bytes_of(kTerminate);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    EventStreamDecoder decoder;
    std::vector<EventStreamMessage> messages;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      decoder.feed(std::string_view(stream).substr(at, step));
      while (auto message = decoder.next()) messages.push_back(*message);
    }
    ASSERT_EQ(messages.size(), 3U) << step;
    EXPECT_EQ(to_rpc(messages[1]).stream_id, 1);
    EXPECT_EQ(decoder.buffered(), 0U);
  }
}

base::ErrorCode error_of(std::string_view bytes, std::size_t limit = 10'000) {
  EventStreamDecoder decoder(limit);
  try {
    decoder.feed(bytes);
    while (decoder.next()) {
    }
  } catch (const base::Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return base::ErrorCode::internal;
}

TEST(EventStream, NoticesEachFlippedBit) {
  const auto frame = bytes_of(kTerminate);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    auto damaged = frame;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(error_of(damaged), base::ErrorCode::data_corrupted) << bit;
  }
}

TEST(EventStream, RefusesFramesOverTheLimitBeforeTheyHaveCome) {
  EventStreamMessage message;
  message.payload = std::string(1000, 'x');
  const auto beginning = encode_event_stream(message).substr(0, 12);
  EXPECT_EQ(error_of(beginning, 1000), base::ErrorCode::resource_exhausted);
}

TEST(EventStream, AFrameOverTheLimitCanBePassedOverAndTheNextIsRead) {
  EventStreamMessage large;
  large.headers = {{":stream-id", std::int32_t{7}}};
  large.payload = std::string(5'000, 'x');
  EventStreamMessage small;
  small.payload = "next";
  const auto stream = encode_event_stream(large) + encode_event_stream(small);
  for (const std::size_t step : {1UL, 7UL, 1'000UL, stream.size()}) {
    EventStreamDecoder decoder(1'000, Oversize::passed_over);
    std::vector<EventStreamMessage> messages;
    std::size_t most_held = 0;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      decoder.feed(std::string_view(stream).substr(at, step));
      while (auto message = decoder.next()) messages.push_back(*message);
      most_held = std::max(most_held, decoder.buffered());
    }
    ASSERT_EQ(messages.size(), 2U) << step;
    EXPECT_EQ(messages[0].int32(":stream-id"), 7);
    EXPECT_EQ(messages[0].payload, "");
    EXPECT_EQ(messages[0].too_large_bytes, encode_event_stream(large).size());
    EXPECT_EQ(messages[1].payload, "next");
    EXPECT_LT(most_held, 1'000U);
  }
  auto damaged = encode_event_stream(large);
  damaged[2'000] = 'y';
  EventStreamDecoder decoder(1'000, Oversize::passed_over);
  decoder.feed(damaged);
  EXPECT_THROW((void)decoder.next(), base::Error);
  EXPECT_EQ(error_of(encode_event_stream(large).substr(0, 12), 1000),
            base::ErrorCode::resource_exhausted);
}

TEST(EventStream, RefusesLengthsAndHeadersThatContradictThemselves) {
  // Right checksums around wrong content: lengths, then a header's name, type and text.
  for (const std::string_view hex :
       {"0000000f00000000e77248b8", "000000100000000172c5787d",
        "0000001300000003db6b6381056162bbcbd794", "0000001300000003db6b638101610affab9622",
        "0000001200000002910c7aa700007bc1361e", "000000170000000729860158016107000561623c52410d"}) {
    EXPECT_EQ(error_of(bytes_of(hex)), base::ErrorCode::data_corrupted) << hex;
  }
}

TEST(EventStream, RefusesToEncodeWhatHasNoForm) {
  const auto encode = [](const EventStreamHeader& header) {
    static_cast<void>(encode_event_stream({{header}, ""}));
  };
  EXPECT_THROW(encode({"", true}), base::Error);
  EXPECT_THROW(encode({std::string(256, 'a'), true}), base::Error);
  EXPECT_THROW(encode({"a", std::string(32768, 'x')}), base::Error);
  EXPECT_THROW(encode({"a", EventStreamUuid{"short"}}), base::Error);
  EXPECT_NO_THROW(encode({std::string(255, 'a'), std::string(32767, 'x')}));
  EventStreamMessage many;
  for (int i = 0; i < 5; ++i) many.headers.push_back({"a", std::string(32767, 'x')});
  EXPECT_THROW(static_cast<void>(encode_event_stream(many)), base::Error);
}

TEST(EventStream, CarriesRpcMessagesThereAndBack) {
  RpcMessage request;
  request.stream_id = 7;
  request.operation = "aws.greengrass#UpdateState";
  request.service_model_type = "aws.greengrass#UpdateStateRequest";
  request.payload = R"({"state":"RUNNING"})";
  const auto message = decode(encode_event_stream(to_event_stream(request)));
  EXPECT_EQ(message.text(":content-type"), "application/json");
  const auto back = to_rpc(message);
  EXPECT_EQ(back.type, request.type);
  EXPECT_EQ(back.stream_id, 7);
  EXPECT_EQ(back.operation, request.operation);
  EXPECT_EQ(back.service_model_type, request.service_model_type);
  EXPECT_EQ(back.payload, request.payload);
}

TEST(EventStream, RefusesRpcMessagesWithoutTheirHeaders) {
  EventStreamMessage message;
  EXPECT_THROW(static_cast<void>(to_rpc(message)), base::Error);
  message.headers = {{":message-type", std::int32_t{8}},
                     {":message-flags", std::int32_t{0}},
                     {":stream-id", std::int32_t{0}}};
  EXPECT_THROW(static_cast<void>(to_rpc(message)), base::Error);
  message.headers[0].value = std::int32_t{7};
  EXPECT_NO_THROW(static_cast<void>(to_rpc(message)));
  message.headers[2].value = "1";
  EXPECT_THROW(static_cast<void>(to_rpc(message)), base::Error);
}

}  // namespace
}  // namespace andon::wire
