// SPDX-License-Identifier: Apache-2.0
// Log streams.
#include "api/logs/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::logs {
namespace {

constexpr std::size_t kStreamsPage = 50;

json::value create(const Service& service, const json::object& input) {
  service.logs.create_stream(*maybe_text(input, "logGroupName"),
                             *maybe_text(input, "logStreamName"));
  return nullptr;
}

json::value remove(const Service& service, const json::object& input) {
  service.logs.remove_stream(*maybe_text(input, "logGroupName"),
                             *maybe_text(input, "logStreamName"));
  return nullptr;
}

json::value list(const Service& service, const json::object& input) {
  const std::string group = read_group(input);
  const control::LogStreamFilter filter{
      .prefix = maybe_text(input, "logStreamNamePrefix").value_or(""),
      .by_last_event = maybe_text(input, "orderBy") == "LastEventTime",
      .descending = flag(input, "descending")};
  if (filter.by_last_event && !filter.prefix.empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
  const auto page = service.logs.streams(group, filter, read_page(input, kStreamsPage));
  json::array streams;
  for (const auto& stream : page.items) {
    json::object told{{"logStreamName", stream.name},
                      {"creationTime", base::to_epoch_millis(stream.created)},
                      {"arn", service.arns.log_group(group) + ":log-stream:" + stream.name},
                      {"storedBytes", 0}};  // always, as AWS has it since 2019
    const auto put = [&told](const char* key, const std::optional<base::Timestamp>& time) {
      if (time) told[key] = base::to_epoch_millis(*time);
    };
    put("firstEventTimestamp", stream.first);
    put("lastEventTimestamp", stream.last);
    put("lastIngestionTime", stream.ingested);
    streams.push_back(std::move(told));
  }
  json::object output{{"logStreams", std::move(streams)}};
  put_next(output, page.next);
  return output;
}

}  // namespace

std::vector<Operation> stream_rows(const Service& service) {
  const std::vector<MemberRule> named = {needed(group_rule()), needed(stream_rule())};
  return {row(service, "CreateLogStream", named, create),
          row(service, "DeleteLogStream", named, remove),
          row(service, "DescribeLogStreams",
              with_page(with_group({text("logStreamNamePrefix", 1, 512),
                                    word("orderBy", {"LogStreamName", "LastEventTime"}),
                                    flag_rule("descending")}),
                        50),
              list)};
}

}  // namespace andon::api::logs
