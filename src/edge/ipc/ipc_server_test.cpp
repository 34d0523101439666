// SPDX-License-Identifier: Apache-2.0
// The component socket with raw frames, as clients in any language send them.
#include "edge/ipc/ipc_server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "edge/testing/fake_loop_clock.hpp"
#include "wire/ipc/event_stream.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using wire::RpcMessage;
using wire::RpcMessageType;

class Client {
 public:
  explicit Client(const std::string& path)
      : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* plain = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(connect(socket_.get(), plain, sizeof address), 0);
  }

  void send_bytes(std::string_view bytes) {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void send(const RpcMessage& message) {
    send_bytes(wire::encode_event_stream(wire::to_event_stream(message)));
  }
  void hello(const std::string& token) {
    send({.type = RpcMessageType::connect,
          .version = "0.1.0",
          .payload = R"({"authToken":")" + token + R"("})"});
  }
  void request(std::int32_t stream, const std::string& operation, const std::string& payload) {
    send({.stream_id = stream, .operation = "aws.greengrass#" + operation, .payload = payload});
  }

  // What came so far; sets closed() at the end.
  std::vector<RpcMessage>& received() {
    char buffer[65536];
    for (;;) {
      const ssize_t got = recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0) closed_ = true;
      if (got <= 0) break;
      decoder_.feed({buffer, static_cast<std::size_t>(got)});
    }
    while (auto frame = decoder_.next()) messages_.push_back(wire::to_rpc(*frame));
    return messages_;
  }
  bool closed() {
    received();
    return closed_;
  }

 private:
  base::UniqueFd socket_;
  wire::EventStreamDecoder decoder_;
  std::vector<RpcMessage> messages_;
  bool closed_ = false;
};

class IpcServerTest : public testing::Test {
 protected:
  IpcServerTest() {
    operations_["Echo"] = {
        StreamAfterAnswer::closes, [](const IpcCall& call) {
          return json::object{{"component", call.component}, {"said", call.request.at("say")}};
        }};
    operations_["Fail"] = {StreamAfterAnswer::closes, [](const IpcCall&) -> json::object {
                             throw resource_not_found("topic", "t", "no such thing");
                           }};
    operations_["Watch"] = {StreamAfterAnswer::stays_open, [this](const IpcCall& call) {
                              watcher_ = call.stream;
                              call.stream->on_close([this] { ++closed_streams_; });
                              return json::object{};
                            }};
    operations_["Wait"] = {
        .after = StreamAfterAnswer::closes,
        .handle_later = [this](const IpcCall&, IpcReply reply) { waiting_.push_back(reply); }};
  }

  bool wait_for(const std::function<bool()>& condition) {
    return run_fast_until(loop_, clock_, condition);
  }
  Client connected(const std::string& token = "SECRET") {
    Client client(server_.socket_path());
    client.hello(token);
    EXPECT_TRUE(wait_for([&] { return !client.received().empty(); }));
    EXPECT_EQ(client.received().front().flags, wire::kRpcConnectionAccepted);
    client.received().clear();
    return client;
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path()};
  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  IpcOperations operations_;
  std::vector<IpcReply> waiting_;  // for their answers
  std::shared_ptr<IpcStream> watcher_;
  int closed_streams_ = 0;
  IpcServer server_{loop_,
                    layout_,
                    operations_,
                    [](std::string_view token) -> std::optional<std::string> {
                      if (token == "SECRET") return "com.example.App";
                      if (token == "OTHER") return "com.example.Other";
                      return std::nullopt;
                    },
                    {.connections_of_component = 3,
                     .streams_of_component = 3,
                     .messages_per_second = 50,
                     .streams_per_connection = 2,
                     .frame_bytes = 4096,
                     .unsent_bytes = 100'000,
                     .unanswered_bytes = 3000,
                     .handshake = milliseconds{200}}};
};

TEST_F(IpcServerTest, AMessageThatIsTooLargeGetsAnErrorOnItsStreamAndTheConnectionGoesOn) {
  Client client = connected();
  client.request(1, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
  client.received().clear();
  // In pieces: the socket's buffer is smaller.
  const std::string frame =
      wire::encode_event_stream(wire::to_event_stream({.stream_id = 2,
                                                       .operation = "aws.greengrass#Echo",
                                                       .payload = std::string(2U << 20U, 'x')}));
  for (std::size_t at = 0; at < frame.size(); at += 65536) {
    client.send_bytes(std::string_view(frame).substr(at, 65536));
    loop_.run_until([] { return false; }, milliseconds{2});
  }
  ASSERT_TRUE(wait_for([&] { return !client.received().empty(); }));
  const RpcMessage answer = client.received().front();
  EXPECT_EQ(answer.stream_id, 2);
  EXPECT_EQ(answer.type, RpcMessageType::application_error);
  EXPECT_EQ(answer.service_model_type, "aws.greengrass#InvalidArgumentsError");
  client.received().clear();
  client.request(3, "Echo", R"({"say":"still here"})");
  ASSERT_TRUE(wait_for([&] { return !client.received().empty(); }));
  EXPECT_EQ(client.received().front().type, RpcMessageType::application_message);
  EXPECT_EQ(closed_streams_, 0);
}

TEST_F(IpcServerTest, AnswersARequestAndEndsItsStream) {
  Client client = connected();
  client.request(1, "Echo", R"({"say":"hello"})");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
  const RpcMessage& answer = client.received().front();
  EXPECT_EQ(answer.type, RpcMessageType::application_message);
  EXPECT_EQ(answer.flags, wire::kRpcTerminateStream);
  EXPECT_EQ(answer.stream_id, 1);
  EXPECT_EQ(answer.service_model_type, "aws.greengrass#EchoResponse");
  EXPECT_EQ(answer.payload, R"({"component":"com.example.App","said":"hello"})");
}

TEST_F(IpcServerTest, RefusesAWrongToken) {
  Client client(server_.socket_path());
  client.hello("WRONG");
  ASSERT_TRUE(wait_for([&] { return client.closed(); }));
  ASSERT_EQ(client.received().size(), 1U);
  EXPECT_EQ(client.received().front().type, RpcMessageType::connect_ack);
  EXPECT_EQ(client.received().front().flags, 0);
}

TEST_F(IpcServerTest, ARequestBeforeTheHandshakeEndsTheConnection) {
  Client client(server_.socket_path());
  client.request(1, "Echo", "{}");
  EXPECT_TRUE(wait_for([&] { return client.closed(); }));
}

TEST_F(IpcServerTest, WhoDoesNotIntroduceHimselfIsDropped) {
  Client client(server_.socket_path());
  EXPECT_TRUE(wait_for([&] { return client.closed(); }));
}

TEST_F(IpcServerTest, AnErrorOfTheModelReachesTheClientAsThatType) {
  Client client = connected();
  client.request(1, "Fail", "{}");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
  const RpcMessage& answer = client.received().front();
  EXPECT_EQ(answer.type, RpcMessageType::application_error);
  EXPECT_EQ(answer.service_model_type, "aws.greengrass#ResourceNotFoundError");
  EXPECT_NE(answer.payload.find(R"("resourceName":"t")"), std::string::npos);
}

TEST_F(IpcServerTest, AnUnknownOperationAndBadJsonAreErrorsOfTheirStreamOnly) {
  Client client = connected();
  client.request(1, "Teleport", "{}");
  client.request(2, "Echo", "{not json");
  client.request(3, "Echo", R"({"say":1})");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 3; }));
  EXPECT_EQ(client.received()[0].service_model_type, "aws#UnsupportedOperation");
  EXPECT_EQ(client.received()[1].service_model_type, "aws.greengrass#InvalidArgumentsError");
  EXPECT_EQ(client.received()[2].type, RpcMessageType::application_message);
}

TEST_F(IpcServerTest, AMalformedFrameClosesItsConnectionAndNoOther) {
  Client good = connected();
  Client bad = connected();
  bad.send_bytes(std::string(64, 'x'));
  ASSERT_TRUE(wait_for([&] { return bad.closed(); }));
  good.request(1, "Echo", R"({"say":1})");
  EXPECT_TRUE(wait_for([&] { return good.received().size() == 1; }));
}

TEST_F(IpcServerTest, EventsFollowOnTheStreamUntilTheClientEndsIt) {
  Client client = connected();
  client.request(1, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
  EXPECT_EQ(client.received().front().flags, 0);
  watcher_->send_event("Happened", {{"what", "it"}});
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 2; }));
  EXPECT_EQ(client.received().back().service_model_type, "aws.greengrass#Happened");
  client.send({.flags = wire::kRpcTerminateStream, .stream_id = 1});
  ASSERT_TRUE(wait_for([&] { return closed_streams_ == 1; }));
  watcher_->send_event("Happened", {});  // nobody listens: nothing happens
}

TEST_F(IpcServerTest, TheEndOfTheConnectionEndsItsStreams) {
  {
    Client client = connected();
    client.request(1, "Watch", "{}");
    ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
  }
  EXPECT_TRUE(wait_for([&] { return closed_streams_ == 1; }));
  EXPECT_EQ(server_.connection_count(), 0U);
}

TEST_F(IpcServerTest, TooManyStreamsAreRefusedOneByOne) {
  Client client = connected();
  for (std::int32_t id = 1; id <= 3; ++id) client.request(id, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 3; }));
  EXPECT_EQ(client.received()[2].service_model_type, "aws.greengrass#ServiceError");
}

TEST_F(IpcServerTest, AComponentHasSoManyConnectionsAndNoMoreAndOthersHaveTheirs) {
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connected());
  Client more(server_.socket_path());
  more.hello("SECRET");
  ASSERT_TRUE(wait_for([&] { return more.closed(); }));
  ASSERT_EQ(more.received().size(), 1U);
  EXPECT_EQ(more.received().front().flags, 0);
  Client other = connected("OTHER");
  clients.pop_back();
  ASSERT_TRUE(wait_for([&] { return server_.connection_count() == 3; }));
  clients.push_back(connected());
}

TEST_F(IpcServerTest, TheStreamsOfAComponentAreCountedOverItsConnections) {
  Client one = connected();
  Client two = connected();
  for (std::int32_t id = 1; id <= 2; ++id) one.request(id, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return one.received().size() == 2; }));
  for (std::int32_t id = 1; id <= 2; ++id) two.request(id, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return two.received().size() == 2; }));
  EXPECT_EQ(two.received()[0].type, RpcMessageType::application_message);
  EXPECT_EQ(two.received()[1].service_model_type, "aws.greengrass#ServiceError");
  Client other = connected("OTHER");
  other.request(1, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return other.received().size() == 1; }));
  EXPECT_EQ(other.received().front().type, RpcMessageType::application_message);
  // What has ended counts no more.
  one.send({.flags = wire::kRpcTerminateStream, .stream_id = 1});
  ASSERT_TRUE(wait_for([&] { return closed_streams_ == 1; }));
  two.request(3, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return two.received().size() == 3; }));
  EXPECT_EQ(two.received()[2].type, RpcMessageType::application_message);
}

TEST_F(IpcServerTest, WhoSendsMoreThanTheQuotaIsReadFromLaterAndLosesNothing) {
  Client client = connected();
  Client other = connected("OTHER");
  for (std::int32_t id = 1; id <= 120; ++id) client.request(id, "Echo", R"({"say":1})");
  // Nothing moves the clock but waiting: with what it has at once it comes to the end of its quota.
  loop_.run_until([&] { return client.received().size() >= 50; }, milliseconds{2000});
  for (int i = 0; i < 20; ++i) loop_.run_until([] { return false; }, milliseconds{1});
  EXPECT_LE(client.received().size(), 51U);
  other.request(1, "Echo", R"({"say":2})");
  loop_.run_until([&] { return !other.received().empty(); }, milliseconds{2000});
  EXPECT_EQ(other.received().size(), 1U);
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 120; }));
}

TEST_F(IpcServerTest, AClientThatDoesNotReadLosesItsConnection) {
  Client client = connected();
  client.request(1, "Watch", "{}");
  ASSERT_TRUE(wait_for([&] { return watcher_ != nullptr; }));
  for (int i = 0; i < 2000 && closed_streams_ == 0; ++i) {
    watcher_->send_event("Happened", {{"text", std::string(1000, 'x')}});
  }
  EXPECT_EQ(closed_streams_, 1);
}

TEST_F(IpcServerTest, AnAnswerMayComeLaterAndOthersOvertakeIt) {
  Client client = connected();
  client.request(1, "Wait", "{}");
  client.request(2, "Echo", R"({"say":1})");
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
  EXPECT_EQ(client.received().front().stream_id, 2);
  waiting_.at(0)({{"late", true}}, nullptr);
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 2; }));
  EXPECT_EQ(client.received().back().stream_id, 1);
  EXPECT_EQ(client.received().back().service_model_type, "aws.greengrass#WaitResponse");
}

TEST_F(IpcServerTest, ALateErrorAndALateAnswerToNobodyAreFine) {
  {
    Client client = connected();
    client.request(1, "Wait", "{}");
    client.request(2, "Wait", "{}");
    ASSERT_TRUE(wait_for([&] { return waiting_.size() == 2; }));
    waiting_.at(0)({}, std::make_exception_ptr(
                           base::Error(base::ErrorCode::resource_exhausted, "the disk is full")));
    ASSERT_TRUE(wait_for([&] { return client.received().size() == 1; }));
    EXPECT_EQ(client.received().front().service_model_type, "aws.greengrass#ServiceError");
    EXPECT_NE(client.received().front().payload.find("the disk is full"), std::string::npos);
  }
  ASSERT_TRUE(wait_for([&] { return server_.connection_count() == 0; }));
  waiting_.at(1)({}, nullptr);
}

TEST_F(IpcServerTest, AConnectionWithTooMuchUnansweredIsReadFromAgainWhenThatIsAnswered) {
  Client client = connected();
  const std::string large = R"({"text":")" + std::string(2000, 'x') + R"("})";
  client.request(1, "Wait", large);
  client.request(2, "Wait", large);
  ASSERT_TRUE(wait_for([&] { return waiting_.size() == 2; }));
  client.send({.type = RpcMessageType::ping, .payload = "hello"});
  Client other = connected();  // is served meanwhile
  EXPECT_TRUE(client.received().empty());
  waiting_.at(0)({}, nullptr);
  ASSERT_TRUE(wait_for([&] { return client.received().size() == 2; }));
  EXPECT_EQ(client.received().back().type, RpcMessageType::ping_response);
}

TEST(IpcServerPath, IsShortWhereTheRootIsLong) {
  const base::TemporaryDirectory directory;
  const Layout layout(directory.path() / std::string(120, 'd'));
  EventLoop loop;
  const IpcOperations operations;
  const IpcServer server(loop, layout, operations, [](auto) { return std::nullopt; });
  EXPECT_LE(server.socket_path().size(), 107U);
  Client client(server.socket_path());
}

}  // namespace
}  // namespace andon::edge
