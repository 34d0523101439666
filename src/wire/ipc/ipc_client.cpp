// SPDX-License-Identifier: Apache-2.0
// Two threads: the reader takes frames from the socket and hands answers to those who wait; the
// event thread runs the handlers, so that a handler may itself call and wait.
#include "wire/ipc/ipc_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "wire/ipc/event_stream.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kPrefix = "aws.greengrass#";
constexpr std::size_t kMaxQueuedBytes = 64U << 20U;
constexpr std::size_t kReadBytes = 64U << 10U;

struct ErrorRow {
  std::string_view name;
  ErrorCode code;
};
constexpr ErrorRow kErrors[] = {
    {"UnauthorizedError", ErrorCode::permission_denied},
    {"InvalidTokenError", ErrorCode::permission_denied},
    {"ResourceNotFoundError", ErrorCode::not_found},
    {"ComponentNotFoundError", ErrorCode::not_found},
    {"InvalidArgumentsError", ErrorCode::invalid_argument},
    {"ConflictError", ErrorCode::conflict},
    {"FailedUpdateConditionCheckError", ErrorCode::conflict},
    {"ServiceError", ErrorCode::unavailable},
    {"aws#UnsupportedOperation", ErrorCode::unsupported},
};

ErrorCode code_of(std::string_view name) {
  const auto* row = std::find_if(std::begin(kErrors), std::end(kErrors),
                                 [&](const ErrorRow& r) { return r.name == name; });
  return row == std::end(kErrors) ? ErrorCode::internal : row->code;
}

std::string without_prefix(std::string_view name) {
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return std::string(name);
}

json::object parse_payload(const std::string& payload) {
  if (payload.empty()) return {};
  auto value =
      base::parse_json(payload, "an answer of the agent", {EventStreamDecoder::kMaxFrameBytes});
  if (!value.is_object()) {
    throw Error(ErrorCode::data_corrupted, "an answer of the agent is not a JSON object");
  }
  return std::move(value.get_object());
}

base::UniqueFd connect_to(const IpcClientOptions& options) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options.socket_path.size() >= sizeof(address.sun_path)) {
    throw Error(ErrorCode::invalid_argument,
                "the path of the agent's socket is too long: " + options.socket_path);
  }
  options.socket_path.copy(address.sun_path, options.socket_path.size());
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw base::system_error("cannot make a socket", errno);
  // Bounds connect() and each send().
  timeval timeout{};
  timeout.tv_sec = options.timeout.count() / 1000;
  timeout.tv_usec = (options.timeout.count() % 1000) * 1000;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  // The sockets API takes every kind of address through one pointer type.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(fd.get(), generic, sizeof(address)) != 0) {
    throw Error(ErrorCode::unavailable, "cannot connect to the agent at " + options.socket_path +
                                            ": " + std::strerror(errno));
  }
  return fd;
}

}  // namespace

class IpcClient::Connection {
 public:
  // `on_break` is called at once when it breaks, on the reader's thread; the options' on_disconnect
  // when the events that were there have been handled.
  Connection(const IpcClientOptions& options, std::function<void()> on_break)
      : timeout_(options.timeout),
        on_disconnect_(options.on_disconnect),
        on_break_(std::move(on_break)),
        fd_(connect_to(options)) {
    authenticate(options);
    reader_ = std::thread([this] { read_frames(); });
    events_ = std::thread([this] { run_handlers(); });
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ~Connection() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    ::shutdown(fd_.get(), SHUT_RDWR);
    changed_.notify_all();
    base::may_block("a join");
    reader_.join();
    events_.join();
  }

  // The answer and the stream that it came on, which stays open where there is a handler.
  std::pair<SubscriptionId, json::object> request(std::string_view operation,
                                                  const json::object& body, EventHandler on_event) {
    const auto stream = std::make_shared<Stream>();
    stream->on_event = std::move(on_event);
    RpcMessage message;
    message.operation = std::string(kPrefix) + std::string(operation);
    message.service_model_type = message.operation + "Request";
    message.payload = base::to_text(body);
    std::unique_lock in_order(order_mutex_);
    const auto id = open(stream, operation);
    message.stream_id = id;
    try {
      send(message);
      in_order.unlock();
      return {id, await(*stream, operation)};
    } catch (const Error&) {
      close(id);
      throw;
    }
  }

  void unsubscribe(SubscriptionId id) {
    if (!close(id)) return;
    RpcMessage message;
    message.flags = kRpcTerminateStream;
    message.stream_id = id;
    send(message);
  }

  [[nodiscard]] bool connected() {
    const std::lock_guard lock(mutex_);
    return failure_.empty();
  }
  // After a call that failed: whoever writes first hears of the end a moment before the reader.
  [[nodiscard]] bool has_broken(std::chrono::milliseconds soon) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, soon, [this] { return !failure_.empty(); });
  }

 private:
  struct Stream {
    EventHandler on_event;             // empty: ends with its answer
    std::optional<RpcMessage> answer;  // guarded by mutex_
  };
  struct Event {
    SubscriptionId stream = 0;
    std::string payload;
  };

  void authenticate(const IpcClientOptions& options) {
    RpcMessage connect;
    connect.type = RpcMessageType::connect;
    connect.version = "0.1.0";
    connect.payload = base::to_text(json::object{{"authToken", options.auth_token}});
    send(connect);
    const auto deadline = SteadyClock::now() + options.timeout;
    std::optional<EventStreamMessage> answer;
    while (!(answer = decoder_.next())) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
      pollfd waiting{fd_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
        throw Error(ErrorCode::deadline_exceeded,
                    "the agent at " + options.socket_path + " did not answer the handshake");
      }
      if (!receive()) {
        throw Error(ErrorCode::unavailable,
                    "the agent closed the connection before it answered the handshake");
      }
    }
    const auto ack = to_rpc(*answer);
    if (ack.type != RpcMessageType::connect_ack || (ack.flags & kRpcConnectionAccepted) == 0) {
      throw Error(ErrorCode::unauthenticated,
                  "the agent refused the connection: it does not know this component's SVCUID");
    }
  }

  SubscriptionId open(const std::shared_ptr<Stream>& stream, std::string_view operation) {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) {
      throw Error(ErrorCode::unavailable, std::string(operation) + " failed: " + failure_);
    }
    const auto id = next_stream_++;
    streams_.emplace(id, stream);
    return id;
  }

  bool close(SubscriptionId id) {
    const std::lock_guard lock(mutex_);
    return streams_.erase(id) > 0;
  }

  json::object await(const Stream& stream, std::string_view operation) {
    RpcMessage answer;
    {
      std::unique_lock lock(mutex_);
      const bool done = changed_.wait_for(
          lock, timeout_, [&] { return stream.answer.has_value() || !failure_.empty(); });
      if (!done) {
        throw Error(ErrorCode::deadline_exceeded, std::string(operation) +
                                                      ": the agent did not answer within " +
                                                      std::to_string(timeout_.count()) + " ms");
      }
      if (!stream.answer) {
        throw Error(ErrorCode::unavailable, std::string(operation) + " failed: " + failure_);
      }
      answer = *stream.answer;
    }
    auto body = parse_payload(answer.payload);
    if (answer.type == RpcMessageType::application_message) return body;
    const auto name = without_prefix(answer.service_model_type);
    std::string text;
    for (const char* key : {"message", "_message"}) {
      const auto* value = body.if_contains(key);
      if (value != nullptr && value->is_string() && text.empty()) text = value->get_string();
    }
    throw Error(code_of(name), std::string(operation) + ": the agent answered " +
                                   (name.empty() ? "an error" : name) +
                                   (text.empty() ? "" : ": " + text));
  }

  void send(const RpcMessage& message) {
    const auto frame = encode_event_stream(to_event_stream(message));
    const std::lock_guard lock(send_mutex_);
    std::string_view rest = frame;
    while (!rest.empty()) {
      const auto sent = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) {
        const std::string why = std::strerror(errno);
        // Half a frame may have gone out: nothing after it would be understood.
        ::shutdown(fd_.get(), SHUT_RDWR);
        throw Error(ErrorCode::unavailable, "cannot send to the agent: " + why);
      }
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // False at the end of the stream.
  bool receive() {
    char buffer[kReadBytes];
    for (;;) {
      const auto count = ::recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      decoder_.feed({buffer, static_cast<std::size_t>(count)});
      return true;
    }
  }

  void read_frames() {
    std::string why = "the agent closed the connection";
    try {
      do {
        while (const auto frame = decoder_.next()) dispatch(to_rpc(*frame));
      } while (receive());
    } catch (const Error& error) {
      why = error.message();
      ::shutdown(fd_.get(), SHUT_RDWR);
    }
    {
      const std::lock_guard lock(mutex_);
      failure_ = why;
      changed_.notify_all();
    }
    if (on_break_) on_break_();
  }

  void dispatch(RpcMessage message) {
    if (message.type == RpcMessageType::ping) {
      RpcMessage pong;
      pong.type = RpcMessageType::ping_response;
      pong.payload = std::move(message.payload);
      send(pong);
      return;
    }
    if (message.stream_id == 0) {
      if (message.type == RpcMessageType::ping_response) return;
      throw Error(ErrorCode::unavailable, "the agent reported a protocol error");
    }
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(message.stream_id);
    if (found == streams_.end()) return;  // its caller has given up
    const auto stream = found->second;
    if (!stream->answer) {
      const bool failed = message.type != RpcMessageType::application_message;
      if (failed || !stream->on_event || (message.flags & kRpcTerminateStream) != 0) {
        streams_.erase(found);
      }
      stream->answer = std::move(message);
    } else {
      queued_bytes_ += message.payload.size();
      if (queued_bytes_ > kMaxQueuedBytes) {
        throw Error(ErrorCode::resource_exhausted,
                    "events come faster than this component handles them");
      }
      // A stream that ends here keeps its handler for the events that wait.
      if (!message.payload.empty()) {
        waiting_.push_back({message.stream_id, std::move(message.payload)});
      }
    }
    changed_.notify_all();
  }

  void run_handlers() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !waiting_.empty() || !failure_.empty(); });
      if (stopping_) return;
      if (waiting_.empty()) break;
      const Event event = std::move(waiting_.front());
      waiting_.pop_front();
      queued_bytes_ -= event.payload.size();
      const auto found = streams_.find(event.stream);
      if (found == streams_.end()) continue;
      const auto stream = found->second;
      lock.unlock();
      handle(*stream, event);
    }
    if (on_disconnect_) on_disconnect_();
  }

  static void handle(const Stream& stream, const Event& event) {
    try {
      stream.on_event(parse_payload(event.payload));
    } catch (const std::exception& error) {
      base::log_error("a handler of an IPC event failed", {{"reason", error.what()}});
    }
  }

  const std::chrono::milliseconds timeout_;
  const std::function<void()> on_disconnect_;
  const std::function<void()> on_break_;
  const base::UniqueFd fd_;
  EventStreamDecoder decoder_;  // the constructor's, then the reader's alone
  std::mutex order_mutex_;      // held from a stream's number to its frame: numbers must rise
  std::mutex send_mutex_;       // one frame at a time

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<SubscriptionId, std::shared_ptr<Stream>> streams_;
  SubscriptionId next_stream_ = 1;
  std::deque<Event> waiting_;
  std::size_t queued_bytes_ = 0;
  std::string failure_;  // why the connection has ended; empty while it has not
  bool stopping_ = false;

  std::thread reader_;
  std::thread events_;
};

IpcClientOptions ipc_options_from_environment() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
      throw Error(ErrorCode::failed_precondition,
                  std::string("the environment variable ") + name +
                      " is not set: this program must be started by a Greengrass agent");
    }
    return std::string(value);
  };
  IpcClientOptions options;
  options.socket_path = variable("AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT");
  options.auth_token = variable("SVCUID");
  return options;
}

// The connection of the moment, and what the next one must be told.
class IpcClient::Session {
 public:
  explicit Session(const IpcClientOptions& options)
      : options_(options), current_(std::make_shared<Connection>(of_connection(), on_break())) {
    if (returns()) returning_ = std::thread([this] { look_for_agents(); });
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ~Session() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_all();
    if (returning_.joinable()) returning_.join();
    current_.reset();
  }

  json::object call(std::string_view operation, const json::object& request) {
    return on_a_connection([&](Connection& connection) {
      return connection.request(operation, request, nullptr).second;
    });
  }

  SubscriptionId subscribe(std::string_view operation, const json::object& request,
                           EventHandler on_event) {
    const auto wanted =
        std::make_shared<Subscription>(std::string(operation), request, std::move(on_event));
    while (true) {
      on_a_connection([&](Connection& connection) {
        const auto stream = connection.request(operation, request, wanted->on_event).first;
        const std::lock_guard lock(mutex_);
        wanted->stream = stream;
        wanted->connection = &connection;
        return json::object{};
      });
      const std::lock_guard lock(mutex_);
      // Else the next connection was made meanwhile, and does not know of it.
      if (wanted->connection != current_.get()) continue;
      subscriptions_[++last_subscription_] = wanted;
      return last_subscription_;
    }
  }

  void unsubscribe(SubscriptionId id) {
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Subscription> gone;
    {
      const std::lock_guard lock(mutex_);
      const auto found = subscriptions_.find(id);
      if (found == subscriptions_.end()) return;
      gone = found->second;
      subscriptions_.erase(found);
      connection = current_;
    }
    if (connection && gone->connection == connection.get()) connection->unsubscribe(gone->stream);
  }

  [[nodiscard]] bool connected() {
    const std::lock_guard lock(mutex_);
    return returns() ? !is_given_up_ : current_->connected();
  }

 private:
  struct Subscription {
    Subscription(std::string name, json::object asked, EventHandler handler)
        : operation(std::move(name)), request(std::move(asked)), on_event(std::move(handler)) {}
    const std::string operation;
    const json::object request;
    const EventHandler on_event;
    const Connection* connection = nullptr;  // that `stream` is of; guarded by mutex_
    SubscriptionId stream = 0;
  };

  [[nodiscard]] bool returns() const { return options_.return_within.count() > 0; }

  [[nodiscard]] IpcClientOptions of_connection() const {
    IpcClientOptions options = options_;
    if (returns()) options.on_disconnect = nullptr;
    return options;
  }

  [[nodiscard]] std::function<void()> on_break() {
    if (!returns()) return {};
    return [this] {
      { const std::lock_guard lock(mutex_); }  // who is about to wait has not looked yet
      changed_.notify_all();
    };
  }

  // Waits for one where there is none at the moment, and makes what broke off again.
  json::object on_a_connection(const std::function<json::object(Connection&)>& work) {
    while (true) {
      std::shared_ptr<Connection> connection;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] {
          return !returns() || current_->connected() || is_given_up_ || is_stopping_;
        });
        if (is_given_up_ || is_stopping_) {
          throw Error(ErrorCode::unavailable, "the agent is gone and did not come back");
        }
        connection = current_;
      }
      try {
        return work(*connection);
      } catch (const Error& error) {
        constexpr std::chrono::milliseconds kSoon{200};
        if (!returns() || error.code() != ErrorCode::unavailable ||
            !connection->has_broken(kSoon)) {
          throw;
        }
      }
    }
  }

  void look_for_agents() {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !current_->connected() || is_stopping_; });
        if (is_stopping_) return;
      }
      if (!reconnect()) return give_up();
    }
  }

  // False when it is over.
  bool reconnect() {
    constexpr std::chrono::milliseconds kFirstWait{20};
    constexpr std::chrono::milliseconds kLongestWait{500};
    const auto deadline = SteadyClock::now() + options_.return_within;
    std::chrono::milliseconds wait = kFirstWait;
    while (SteadyClock::now() < deadline) {
      try {
        take(std::make_shared<Connection>(of_connection(), on_break()));
        return true;
      } catch (const Error& error) {
        // The next agent does not know this process: it never will.
        if (error.code() == ErrorCode::unauthenticated) return false;
      }
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, wait, [this] { return is_stopping_; })) return false;
      wait = std::min(wait * 2, kLongestWait);
    }
    return false;
  }

  void take(std::shared_ptr<Connection> next) {
    std::shared_ptr<Connection> before;
    std::map<SubscriptionId, std::shared_ptr<Subscription>> again;
    {
      const std::lock_guard lock(mutex_);
      again = subscriptions_;
    }
    for (const auto& [id, subscription] : again) {
      const auto stream =
          next->request(subscription->operation, subscription->request, subscription->on_event)
              .first;
      const std::lock_guard lock(mutex_);
      subscription->stream = stream;
      subscription->connection = next.get();
    }
    {
      const std::lock_guard lock(mutex_);
      before = std::exchange(current_, std::move(next));
    }
    changed_.notify_all();
    // A handler of it may be in a call, which goes on now; whoever holds it lets go of it then.
    constexpr std::chrono::milliseconds kGlance{1};
    while (before.use_count() > 1) std::this_thread::sleep_for(kGlance);
  }

  void give_up() {
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) return;
      is_given_up_ = true;
    }
    changed_.notify_all();
    if (options_.on_disconnect) options_.on_disconnect();
  }

  const IpcClientOptions options_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool is_given_up_ = false;
  bool is_stopping_ = false;
  std::map<SubscriptionId, std::shared_ptr<Subscription>> subscriptions_;
  SubscriptionId last_subscription_ = 0;
  std::shared_ptr<Connection> current_;
  std::thread returning_;
};

IpcClient::IpcClient(const IpcClientOptions& options)
    : session_(std::make_unique<Session>(options)) {}

IpcClient::~IpcClient() = default;

json::object IpcClient::call(std::string_view operation, const json::object& request) {
  return session_->call(operation, request);
}

IpcClient::SubscriptionId IpcClient::subscribe(std::string_view operation,
                                               const json::object& request, EventHandler on_event) {
  return session_->subscribe(operation, request, std::move(on_event));
}

void IpcClient::unsubscribe(SubscriptionId subscription) {
  session_->unsubscribe(subscription);
}

bool IpcClient::connected() const {
  return session_->connected();
}

json::object IpcClient::get_configuration(const std::vector<std::string>& key_path) {
  json::array keys;
  for (const auto& key : key_path) keys.emplace_back(key);
  const json::value answer = call("GetConfiguration", {{"keyPath", std::move(keys)}});
  return base::JsonReader(answer, "GetConfiguration").child("value").object();
}

IpcClient::SubscriptionId IpcClient::subscribe_to_configuration_update(
    const std::vector<std::string>& key_path,
    std::function<void(const std::vector<std::string>& changed)> on_change) {
  json::array keys;
  for (const auto& key : key_path) keys.emplace_back(key);
  return subscribe("SubscribeToConfigurationUpdate", {{"keyPath", std::move(keys)}},
                   [handler = std::move(on_change)](const json::object& event) {
                     const json::value document(event);
                     const auto update = base::JsonReader(document, "ConfigurationUpdateEvents")
                                             .child("configurationUpdateEvent");
                     std::vector<std::string> changed;
                     if (const auto* path = update.optional_array("keyPath")) {
                       for (const auto& key : *path) changed.emplace_back(key.as_string());
                     }
                     handler(changed);
                   });
}

namespace {
std::string_view to_text(IpcClient::Qos qos) {
  return qos == IpcClient::Qos::at_least_once ? "1" : "0";
}
}  // namespace

void IpcClient::publish_to_iot_core(const std::string& topic, std::string_view payload, Qos qos) {
  call("PublishToIoTCore",
       {{"topicName", topic}, {"qos", to_text(qos)}, {"payload", base::to_base64(payload)}});
}

IpcClient::SubscriptionId IpcClient::subscribe_to_iot_core(
    const std::string& topic_filter, Qos qos,
    std::function<void(const std::string& topic, const std::string& payload)> on_message) {
  return subscribe(
      "SubscribeToIoTCore", {{"topicName", topic_filter}, {"qos", to_text(qos)}},
      [handler = std::move(on_message)](const json::object& event) {
        const json::value document(event);
        const auto message = base::JsonReader(document, "IoTCoreMessage").child("message");
        const auto payload = base::from_base64(message.optional_string("payload").value_or(""));
        if (!payload) {
          throw Error(ErrorCode::data_corrupted,
                      "the payload of an IoT Core message is not base64");
        }
        handler(message.string("topicName"), *payload);
      });
}

void IpcClient::update_state(ComponentState state) {
  call("UpdateState", {{"state", state == ComponentState::running ? "RUNNING" : "ERRORED"}});
}

}  // namespace andon::wire
