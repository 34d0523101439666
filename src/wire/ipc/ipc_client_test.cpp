// SPDX-License-Identifier: Apache-2.0
#include "wire/ipc/ipc_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "wire/ipc/event_stream.hpp"

namespace andon::wire {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

// What the agent's side saw, for tests to wait for.
template <typename Value>
class Inbox {
 public:
  void put(Value value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    arrived_.notify_all();
  }
  Value take() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, 10s, [&] { return !values_.empty(); })) {
      throw std::runtime_error("nothing arrived");
    }
    auto value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Value> values_;
};

// An agent that takes one connection and answers as its script says.
class ScriptedAgent {
 public:
  using Script = std::function<std::vector<RpcMessage>(const RpcMessage&)>;

  // At a place of its own, or of the agent before it.
  explicit ScriptedAgent(Script script, const base::fs::path& path = {})
      : script_(std::move(script)) {
    path_ = path.empty() ? directory_.path() / "ipc.socket" : path;
    ::unlink(path_.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    listener_ = base::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedAgent() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    hang_up();
    thread_.join();
  }

  IpcClientOptions options(std::chrono::milliseconds timeout = 10s) {
    IpcClientOptions result;
    result.socket_path = path_.string();
    result.auth_token = "TOKEN";
    result.timeout = timeout;
    return result;
  }

  void send(const RpcMessage& message) {
    send_bytes(encode_event_stream(to_event_stream(message)));
  }
  void send_bytes(const std::string& bytes) { base::write_all(connection_.load(), bytes, path_); }
  void hang_up() {
    const int fd = connection_.load();
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
  }

  Inbox<RpcMessage> received;

 private:
  void serve() {
    const base::UniqueFd fd(::accept(listener_.get(), nullptr, nullptr));
    if (!fd) return;
    connection_ = fd.get();
    EventStreamDecoder decoder;
    char buffer[4096];
    for (;;) {
      const auto count = ::read(fd.get(), buffer, sizeof(buffer));
      if (count <= 0) break;
      decoder.feed({buffer, static_cast<std::size_t>(count)});
      while (const auto frame = decoder.next()) {
        const auto message = to_rpc(*frame);
        for (const auto& answer : script_(message)) send(answer);
        received.put(message);
      }
    }
    connection_ = -1;
  }

  Script script_;
  base::TemporaryDirectory directory_;
  base::fs::path path_;
  base::UniqueFd listener_;
  std::atomic<int> connection_{-1};
  std::thread thread_;
};

RpcMessage accepted() {
  RpcMessage message;
  message.type = RpcMessageType::connect_ack;
  message.flags = kRpcConnectionAccepted;
  return message;
}

RpcMessage answer_to(const RpcMessage& request, std::string payload) {
  RpcMessage message;
  message.stream_id = request.stream_id;
  message.service_model_type = request.operation + "Response";
  message.payload = std::move(payload);
  return message;
}

RpcMessage event_on(std::int32_t stream, std::string payload) {
  RpcMessage message;
  message.stream_id = stream;
  message.service_model_type = "aws.greengrass#Event";
  message.payload = std::move(payload);
  return message;
}

RpcMessage error_to(const RpcMessage& request, const std::string& name, std::string payload) {
  auto message = answer_to(request, std::move(payload));
  message.type = RpcMessageType::application_error;
  message.flags = kRpcTerminateStream;
  message.service_model_type = "aws.greengrass#" + name;
  return message;
}

// Accepts the connection, answers every operation with `payload`.
ScriptedAgent::Script answers(const std::string& payload) {
  return [payload](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    if (message.operation.empty()) return {};
    return {answer_to(message, payload)};
  };
}

ErrorCode code_of(const std::function<void()>& action, std::string* text = nullptr) {
  try {
    action();
  } catch (const base::Error& error) {
    if (text != nullptr) *text = error.message();
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::internal;
}

TEST(IpcClient, CallsFromManyThreadsReachTheAgentWithRisingStreams) {
  std::atomic<std::int32_t> last{0};
  std::atomic<bool> rises{true};
  ScriptedAgent agent([&](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    if (message.stream_id <= last.exchange(message.stream_id)) rises = false;
    return {answer_to(message, "{}")};
  });
  IpcClient client(agent.options());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) client.call("Echo", {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(rises);
  EXPECT_EQ(last, 1600);
}

TEST(IpcClient, AuthenticatesWithItsToken) {
  ScriptedAgent agent(answers("{}"));
  const IpcClient client(agent.options());
  const auto connect = agent.received.take();
  EXPECT_EQ(connect.type, RpcMessageType::connect);
  EXPECT_EQ(connect.version, "0.1.0");
  EXPECT_EQ(connect.payload, R"({"authToken":"TOKEN"})");
  EXPECT_TRUE(client.connected());
}

TEST(IpcClient, SaysThatItIsRefused) {
  ScriptedAgent refusing([](const RpcMessage&) {
    auto ack = accepted();
    ack.flags = 0;
    return std::vector{ack};
  });
  EXPECT_EQ(code_of([&] { IpcClient client(refusing.options()); }), ErrorCode::unauthenticated);
}

TEST(IpcClient, SaysThatNobodyListensOrAnswers) {
  IpcClientOptions nowhere;
  nowhere.socket_path = "/nonexistent/ipc.socket";
  EXPECT_EQ(code_of([&] { IpcClient client(nowhere); }), ErrorCode::unavailable);
  nowhere.socket_path = std::string(200, 'x');
  EXPECT_EQ(code_of([&] { IpcClient client(nowhere); }), ErrorCode::invalid_argument);
  ScriptedAgent silent([](const RpcMessage&) { return std::vector<RpcMessage>{}; });
  EXPECT_EQ(code_of([&] { IpcClient client(silent.options(50ms)); }), ErrorCode::deadline_exceeded);
}

TEST(IpcClient, PublishesBytesAsBase64) {
  ScriptedAgent agent(answers("{}"));
  IpcClient client(agent.options());
  client.publish_to_iot_core("andon/things/a/results", std::string("\0\xFF", 2),
                             IpcClient::Qos::at_least_once);
  agent.received.take();
  const auto request = agent.received.take();
  EXPECT_EQ(request.operation, "aws.greengrass#PublishToIoTCore");
  EXPECT_EQ(request.service_model_type, "aws.greengrass#PublishToIoTCoreRequest");
  EXPECT_EQ(request.payload,
            R"({"topicName":"andon/things/a/results","qos":"1","payload":"AP8="})");
}

TEST(IpcClient, ReadsItsConfiguration) {
  ScriptedAgent agent(answers(R"({"componentName":"a","value":{"threshold":0.5}})"));
  IpcClient client(agent.options());
  EXPECT_EQ(client.get_configuration({"threshold"}).at("threshold").as_double(), 0.5);
  agent.received.take();
  EXPECT_EQ(agent.received.take().payload, R"({"keyPath":["threshold"]})");
}

TEST(IpcClient, ReportsItsState) {
  ScriptedAgent agent(answers("{}"));
  IpcClient client(agent.options());
  client.update_state(IpcClient::ComponentState::running);
  client.update_state(IpcClient::ComponentState::errored);
  agent.received.take();
  const auto first = agent.received.take();
  EXPECT_EQ(first.payload, R"({"state":"RUNNING"})");
  const auto second = agent.received.take();
  EXPECT_EQ(second.payload, R"({"state":"ERRORED"})");
  EXPECT_GT(second.stream_id, first.stream_id);
}

TEST(IpcClient, TranslatesTheAgentsErrors) {
  ScriptedAgent agent([](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    const auto name = message.operation.substr(message.operation.find('#') + 1);
    return {error_to(message, name, R"({"message":"because","_message":"no"})")};
  });
  IpcClient client(agent.options());
  const std::pair<const char*, ErrorCode> cases[] = {
      {"UnauthorizedError", ErrorCode::permission_denied},
      {"ResourceNotFoundError", ErrorCode::not_found},
      {"InvalidArgumentsError", ErrorCode::invalid_argument},
      {"ConflictError", ErrorCode::conflict},
      {"ServiceError", ErrorCode::unavailable},
      {"SomethingNew", ErrorCode::internal}};
  for (const auto& [name, code] : cases) {
    std::string text;
    EXPECT_EQ(code_of([&, operation = name] { client.call(operation, {}); }, &text), code) << name;
    EXPECT_THAT(text, testing::HasSubstr("because"));
  }
}

TEST(IpcClient, HandsEventsToTheirSubscribersInOrder) {
  ScriptedAgent agent([](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    if (message.flags == kRpcTerminateStream) return {};
    return {answer_to(message, "{}"),
            event_on(message.stream_id, R"({"message":{"topicName":"a/1","payload":"b25l"}})"),
            event_on(message.stream_id, R"({"message":{"topicName":"a/2","payload":"dHdv"}})")};
  });
  IpcClient client(agent.options());
  Inbox<std::string> messages;
  client.subscribe_to_iot_core("a/#", IpcClient::Qos::at_most_once,
                               [&](const std::string& topic, const std::string& payload) {
                                 messages.put(topic + "=" + payload);
                               });
  EXPECT_EQ(messages.take(), "a/1=one");
  EXPECT_EQ(messages.take(), "a/2=two");
  agent.received.take();
  EXPECT_EQ(agent.received.take().payload, R"({"topicName":"a/#","qos":"0"})");
}

TEST(IpcClient, LetsAHandlerCall) {
  ScriptedAgent agent(answers(R"({"value":{"threshold":0.7}})"));
  IpcClient client(agent.options());
  Inbox<double> thresholds;
  const auto id =
      client.subscribe_to_configuration_update({}, [&](const std::vector<std::string>& changed) {
        EXPECT_THAT(changed, testing::ElementsAre("threshold"));
        thresholds.put(client.get_configuration().at("threshold").as_double());
      });
  agent.send(event_on(
      id, R"({"configurationUpdateEvent":{"componentName":"a","keyPath":["threshold"]}})"));
  EXPECT_EQ(thresholds.take(), 0.7);
}

TEST(IpcClient, GoesOnAfterAHandlerFailed) {
  ScriptedAgent agent(answers("{}"));
  IpcClient client(agent.options());
  Inbox<std::string> seen;
  const auto id = client.subscribe("SubscribeToTopic", {}, [&](const json::object& event) {
    seen.put(base::to_text(event.at("ok")));
  });
  agent.send(event_on(id, "not json"));
  agent.send(event_on(id, R"({"bad":1})"));
  agent.send(event_on(id, R"({"ok":1})"));
  EXPECT_EQ(seen.take(), "1");
}

TEST(IpcClient, EndsASubscription) {
  ScriptedAgent agent(answers("{}"));
  IpcClient client(agent.options());
  Inbox<int> seen;
  const auto first = client.subscribe("SubscribeToTopic", {}, [&](const auto&) { seen.put(1); });
  const auto second = client.subscribe("SubscribeToTopic", {}, [&](const auto&) { seen.put(2); });
  client.unsubscribe(first);
  for (int i = 0; i < 3; ++i) agent.received.take();
  const auto end = agent.received.take();
  EXPECT_EQ(end.flags, kRpcTerminateStream);
  EXPECT_EQ(end.stream_id, first);
  agent.send(event_on(first, R"({"x":1})"));
  agent.send(event_on(second, R"({"x":1})"));
  EXPECT_EQ(seen.take(), 2);
  client.unsubscribe(first);
}

TEST(IpcClient, AnswersPings) {
  ScriptedAgent agent(answers("{}"));
  const IpcClient client(agent.options());
  agent.received.take();
  RpcMessage ping;
  ping.type = RpcMessageType::ping;
  ping.payload = "x";
  agent.send(ping);
  const auto pong = agent.received.take();
  EXPECT_EQ(pong.type, RpcMessageType::ping_response);
  EXPECT_EQ(pong.payload, "x");
}

TEST(IpcClient, GivesUpOnACallThatIsNotAnswered) {
  std::atomic<int> calls{0};
  ScriptedAgent agent([&](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    if (++calls == 1) return {};
    return {answer_to(message, R"({"call":2})")};
  });
  IpcClient client(agent.options(500ms));
  EXPECT_EQ(code_of([&] { client.call("GetConfiguration", {}); }), ErrorCode::deadline_exceeded);
  EXPECT_EQ(client.call("GetConfiguration", {}).at("call").as_int64(), 2);
}

TEST(IpcClient, NoticesThatTheAgentIsGone) {
  ScriptedAgent agent([](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    return {};
  });
  std::promise<void> gone;
  auto options = agent.options();
  options.on_disconnect = [&] { gone.set_value(); };
  IpcClient client(options);
  auto waiting = std::async(std::launch::async,
                            [&] { return code_of([&] { client.call("GetConfiguration", {}); }); });
  agent.received.take();
  agent.received.take();
  agent.hang_up();
  EXPECT_EQ(waiting.get(), ErrorCode::unavailable);
  EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(code_of([&] { client.call("GetConfiguration", {}); }), ErrorCode::unavailable);
}

TEST(IpcClient, ReturnsToTheNextAgentSubscribesAgainAndMakesACallAgain) {
  const base::TemporaryDirectory directory;
  const base::fs::path path = directory.path() / "ipc.socket";
  const auto script = [](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    if (message.operation.ends_with("Later")) return {};
    return {answer_to(message, message.payload)};
  };
  auto first = std::make_unique<ScriptedAgent>(script, path);
  IpcClientOptions options = first->options();
  options.return_within = 20s;
  options.timeout = 20s;
  bool given_up = false;
  options.on_disconnect = [&] { given_up = true; };
  {
    IpcClient client(options);
    Inbox<json::object> events;
    client.subscribe("SubscribeToThings", {},
                     [&](const json::object& event) { events.put(event); });
    auto waiting = std::async(std::launch::async, [&] {
      return client.call("AnswerLater", {{"a", 1}});
    });
    for (int i = 0; i < 3; ++i) first->received.take();
    first.reset();
    EXPECT_TRUE(client.connected());
    ScriptedAgent next(
        [](const RpcMessage& message) -> std::vector<RpcMessage> {
          if (message.type == RpcMessageType::connect) return {accepted()};
          return {answer_to(message, message.payload)};
        },
        path);
    EXPECT_EQ(waiting.get(), (json::object{{"a", 1}}));
    EXPECT_EQ(next.received.take().type, RpcMessageType::connect);
    const RpcMessage again = next.received.take();
    EXPECT_EQ(again.operation, "aws.greengrass#SubscribeToThings");
    next.send(event_on(again.stream_id, R"({"thing":7})"));
    EXPECT_EQ(events.take(), (json::object{{"thing", 7}}));
  }
  EXPECT_FALSE(given_up);
}

TEST(IpcClient, EndsTheConnectionOnDamagedFrames) {
  ScriptedAgent agent(answers("{}"));
  std::promise<void> gone;
  auto options = agent.options();
  options.on_disconnect = [&] { gone.set_value(); };
  const IpcClient client(options);
  agent.received.take();
  agent.send_bytes(std::string(32, 'x'));
  EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
}

TEST(IpcClient, ServesManyThreadsAtOnce) {
  ScriptedAgent agent([](const RpcMessage& message) -> std::vector<RpcMessage> {
    if (message.type == RpcMessageType::connect) return {accepted()};
    return {answer_to(message, message.payload)};
  });
  IpcClient client(agent.options());
  std::vector<std::future<bool>> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(std::async(std::launch::async, [&client, t] {
      for (int i = 0; i < 200; ++i) {
        const json::object request{{"t", t}, {"i", i}};
        if (client.call("Echo", request) != request) return false;
      }
      return true;
    }));
  }
  for (auto& thread : threads) EXPECT_TRUE(thread.get());
}

TEST(IpcClient, NeedsTheEnvironmentThatTheAgentSets) {
  ::unsetenv("SVCUID");
  ::setenv("AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT", "/x", 1);
  std::string text;
  EXPECT_EQ(code_of([] { static_cast<void>(ipc_options_from_environment()); }, &text),
            ErrorCode::failed_precondition);
  EXPECT_THAT(text, testing::HasSubstr("SVCUID"));
  ::setenv("SVCUID", "T", 1);
  EXPECT_EQ(ipc_options_from_environment().socket_path, "/x");
}

}  // namespace
}  // namespace andon::wire
