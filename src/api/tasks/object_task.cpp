// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/object_task.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include "api/tasks/gzip.hpp"
#include "api/tasks/job_parameters.hpp"
#include "api/tasks/sdk/sdk_names.hpp"
#include "asl/data/item_reader.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "base/time/time.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using workflow::TaskFailure;

constexpr std::string_view kType = "aws-sdk:s3";
constexpr std::size_t kMostObjectBytes = 256U << 20U;  // of items that are read whole
constexpr std::size_t kReadBytes = 256U << 10U;
constexpr std::size_t kItemsInPart = 1000;
constexpr std::size_t kResultFileBytes = 5U << 20U;

TaskFailure s3_failure(std::string_view code, const std::string& message, int status) {
  const std::string id = base::random_uuid();
  return {sdk_error_name("S3", code),
          message + " (Service: S3, Status Code: " + std::to_string(status) +
              ", Request ID: " + id + ", Extended Request ID: " + id + ") (SDK Attempt Count: 1)"};
}

std::string text_of(const json::object& parameters, std::string_view key) {
  const auto* value = parameters.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    throw s3_failure("S3", "The parameter " + std::string(key) + " must be given as text", 400);
  }
  return std::string(value->get_string());
}
std::string text_or_empty(const json::object& parameters, std::string_view key) {
  const auto* value = parameters.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

store::ByteSource bytes_of(const std::string& text) {
  auto offset = std::make_shared<std::size_t>(0);
  return [&text, offset](char* buffer, std::size_t size) {
    const std::size_t count = std::min(size, text.size() - *offset);
    std::copy_n(text.data() + *offset, count, buffer);
    *offset += count;
    return count;
  };
}

// Appends up to `size` bytes; false at the end.
bool read_more(const base::UniqueFd& file, std::string& text, std::size_t size) {
  const std::size_t before = text.size();
  text.resize(before + size);
  ssize_t got = 0;
  do {
    got = ::read(file.get(), text.data() + before, size);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw base::system_error("cannot read an object", errno);
  text.resize(before + static_cast<std::size_t>(got));
  return got > 0;
}

std::string read_whole(const base::UniqueFd& file, std::size_t most, const std::string& what) {
  std::string text;
  while (read_more(file, text, kReadBytes)) {
    if (text.size() > most) {
      throw Error(ErrorCode::resource_exhausted,
                  what + " is larger than " + std::to_string(most) + " bytes");
    }
  }
  return text;
}

json::object described(const store::ObjectInfo& info) {
  json::object metadata;
  for (const auto& [key, value] : info.metadata) metadata[key] = value;
  return {{"ContentLength", info.size},
          {"ContentType", info.content_type},
          {"ETag", "\"" + info.etag + "\""},
          {"LastModified", base::to_iso8601(info.last_modified)},
          {"Metadata", std::move(metadata)}};
}

json::object listed(const store::ObjectInfo& info) {
  return {{"ETag", "\"" + info.etag + "\""},
          {"Key", info.key},
          {"LastModified", base::to_iso8601(info.last_modified)},
          {"Size", info.size},
          {"StorageClass", "STANDARD"}};
}

json::value get_object(store::ObjectStore& objects, const json::object& parameters) {
  const std::string key = text_of(parameters, "Key");
  const auto object = objects.open(text_of(parameters, "Bucket"), key);
  if (!object) throw s3_failure("NoSuchKey", "The specified key does not exist.", 404);
  json::object result = described(object->info);
  result["AcceptRanges"] = "bytes";
  result["Body"] = read_whole(object->file, asl::kMaxDataBytes, "object '" + key + "'");
  return result;
}

json::value head_object(store::ObjectStore& objects, const json::object& parameters) {
  const auto info = objects.head(text_of(parameters, "Bucket"), text_of(parameters, "Key"));
  if (!info) throw s3_failure("NoSuchKey", "The specified key does not exist.", 404);
  return described(*info);
}

json::value put_object(store::ObjectStore& objects, const json::object& parameters) {
  std::string body;
  // Bytes are the compact JSON of whatever is given, a text with its quotes.
  if (const auto* given = parameters.if_contains("Body")) body = base::to_text(*given);
  store::PutOptions options;
  if (const std::string type = text_or_empty(parameters, "ContentType"); !type.empty()) {
    options.content_type = type;
  }
  const store::ObjectInfo info = objects.put(text_of(parameters, "Bucket"),
                                             text_of(parameters, "Key"), bytes_of(body), options);
  return json::object{{"ETag", "\"" + info.etag + "\""}};
}

json::value delete_object(store::ObjectStore& objects, const json::object& parameters) {
  objects.remove(text_of(parameters, "Bucket"), text_of(parameters, "Key"));
  return json::object();
}

// "/BUCKET/KEY" or "BUCKET/KEY".
ObjectName source_of(const json::object& parameters) {
  std::string source = text_of(parameters, "CopySource");
  if (source.starts_with('/')) source.erase(0, 1);
  const std::size_t slash = source.find('/');
  if (slash == std::string::npos) {
    throw s3_failure("InvalidArgument", "CopySource must be BUCKET/KEY", 400);
  }
  return {source.substr(0, slash), source.substr(slash + 1)};
}

json::value copy_object(store::ObjectStore& objects, const json::object& parameters) {
  const ObjectName source = source_of(parameters);
  const store::ObjectInfo info = objects.copy(
      source.bucket, source.key, text_of(parameters, "Bucket"), text_of(parameters, "Key"));
  return json::object{{"CopyObjectResult",
                       {{"ETag", "\"" + info.etag + "\""},
                        {"LastModified", base::to_iso8601(info.last_modified)}}}};
}

json::value list_objects(store::ObjectStore& objects, const json::object& parameters) {
  store::ListRequest request;
  request.bucket = text_of(parameters, "Bucket");
  request.prefix = text_or_empty(parameters, "Prefix");
  request.delimiter = text_or_empty(parameters, "Delimiter");
  request.start_after = text_or_empty(parameters, "ContinuationToken");
  if (request.start_after.empty()) request.start_after = text_or_empty(parameters, "StartAfter");
  if (const auto* most = parameters.if_contains("MaxKeys"); most != nullptr && most->is_int64()) {
    request.max_keys =
        static_cast<std::size_t>(std::clamp<std::int64_t>(most->get_int64(), 0, 1000));
  }
  const store::ListPage page = objects.list(request);
  json::array contents;
  for (const auto& info : page.objects) contents.push_back(listed(info));
  json::object result{{"Contents", std::move(contents)},
                      {"IsTruncated", page.next_start_after.has_value()},
                      {"KeyCount", page.objects.size() + page.common_prefixes.size()},
                      {"MaxKeys", request.max_keys},
                      {"Name", request.bucket},
                      {"Prefix", request.prefix}};
  if (page.next_start_after) result["NextContinuationToken"] = *page.next_start_after;
  if (!page.common_prefixes.empty()) {
    json::array prefixes;
    for (const std::string& prefix : page.common_prefixes) {
      prefixes.push_back(json::object{{"Prefix", prefix}});
    }
    result["CommonPrefixes"] = std::move(prefixes);
  }
  return result;
}

// What is called, and the parameters that count; every other is refused by name, as over HTTP.
struct Call {
  json::value (*work)(store::ObjectStore&, const json::object&);
  std::vector<std::string_view> parameters;
};
const std::map<std::string, Call, std::less<>>& calls() {
  static const std::map<std::string, Call, std::less<>> all = {
      {"getObject", {get_object, {"Bucket", "Key"}}},
      {"headObject", {head_object, {"Bucket", "Key"}}},
      {"putObject", {put_object, {"Bucket", "Key", "Body", "ContentType"}}},
      {"deleteObject", {delete_object, {"Bucket", "Key"}}},
      {"copyObject", {copy_object, {"Bucket", "Key", "CopySource"}}},
      {"listObjectsV2",
       {list_objects,
        {"Bucket", "Prefix", "Delimiter", "ContinuationToken", "StartAfter", "MaxKeys"}}}};
  return all;
}

policy::Context list_keys(const std::string& prefix, const std::string& delimiter) {
  policy::Context keys;
  keys.set("s3:prefix", prefix);
  if (!delimiter.empty()) keys.set("s3:delimiter", delimiter);
  return keys;
}

// What the S3 service asks for the same calls.
void require_call(const TaskRoles& roles, const Caller& caller, const std::string& action,
                  const json::object& parameters) {
  const std::string bucket = text_of(parameters, "Bucket");
  try {
    if (action == "listObjectsV2") {
      roles.require(
          caller, "s3:ListBucket", "arn:aws:s3:::" + bucket,
          list_keys(text_or_empty(parameters, "Prefix"), text_or_empty(parameters, "Delimiter")));
      return;
    }
    if (action == "copyObject") {
      const ObjectName source = source_of(parameters);
      roles.require_object(caller, "s3:GetObject", source.bucket, source.key);
    }
    const bool reads = action == "getObject" || action == "headObject";
    roles.require_object(caller,
                         reads                      ? "s3:GetObject"
                         : action == "deleteObject" ? "s3:DeleteObject"
                                                    : "s3:PutObject",
                         bucket, text_of(parameters, "Key"));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    throw s3_failure("S3", error.message(), 403);
  }
}

void check_parameters(const Call& call, const json::object& given) {
  for (const auto& [name, value] : given) {
    const std::string_view key = name;
    if (value.is_null() || std::ranges::find(call.parameters, key) != call.parameters.end()) {
      continue;
    }
    throw s3_failure("NotImplemented",
                     "The parameter " + std::string(name) + " is not supported; leave it out", 501);
  }
}

}  // namespace

bool ObjectTask::has(const asl::Resource& resource) const {
  return resource.kind == asl::Resource::Kind::service && resource.type == kType &&
         resource.pattern == asl::Resource::Pattern::request_response &&
         calls().contains(resource.action);
}

void ObjectTask::start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  const auto call = calls().find(task.resource.action);
  const auto* parameters = task.parameters->if_object();
  if (call == calls().end() || parameters == nullptr) {
    throw s3_failure("S3", "The parameters must be an object", 400);
  }
  const Caller caller = roles_.caller_of(task);
  try {
    check_parameters(call->second, *parameters);
    require_call(roles_, caller, task.resource.action, *parameters);
    reply.succeeded(call->second.work(objects_, *parameters));
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::not_found:
        throw s3_failure(objects_.has_bucket(text_or_empty(*parameters, "Bucket")) ? "NoSuchKey"
                                                                                   : "NoSuchBucket",
                         error.message(), 404);
      case ErrorCode::resource_exhausted:
        throw TaskFailure(std::string(asl::kDataLimitExceeded), error.message());
      default:
        throw s3_failure("S3", error.message(), base::http_status(error.code()));
    }
  }
}

// ---- distributed Maps

void ObjectMapStore::read(const workflow::ItemsRequest& request, const Take& take) {
  const std::string_view resource = request.resource;
  if (resource.ends_with(":listObjectsV2")) {
    read_listing(request, take);
    return;
  }
  if (!resource.ends_with(":getObject")) {
    throw Error(ErrorCode::unsupported,
                "items are read by s3:getObject and s3:listObjectsV2, not by " + request.resource);
  }
  const auto* parameters = request.parameters->if_object();
  const json::object none;
  const json::object& given = parameters == nullptr ? none : *parameters;
  const std::string bucket = text_or_empty(given, "Bucket");
  const std::string key = text_or_empty(given, "Key");
  const Caller caller = roles_.caller_of(request.by);
  roles_.require_object(caller, "s3:GetObject", bucket, key);
  auto object = objects_.open(bucket, key);
  if (!object) {
    throw Error(ErrorCode::not_found,
                "there is no object '" + key + "' in bucket '" + bucket + "'");
  }
  const std::string source = "S3://" + bucket + "/" + key;
  if (asl::is_manifest(request.config)) {
    read_manifest(request, caller, *object, source, take);
    return;
  }
  if (text_or_empty(request.config, "InputType") == "JSONL") {
    read_lines(request, *object, source, take);
    return;
  }
  asl::Data items = asl::parse_items(
      request.config, read_whole(object->file, kMostObjectBytes, "object '" + key + "'"));
  const auto* list = items->if_array();
  if (request.max_items && list != nullptr &&
      list->size() > static_cast<std::size_t>(std::max<std::int64_t>(0, *request.max_items))) {
    items = asl::make_data(json::array(list->begin(), list->begin() + *request.max_items));
  }
  take({std::move(items), source, false});
}

// A part at a time, so that memory does not grow with the object.
void ObjectMapStore::read_lines(const workflow::ItemsRequest& request, store::OpenObject& object,
                                const std::string& source, const Take& take) {
  std::size_t left = request.max_items
                         ? static_cast<std::size_t>(std::max<std::int64_t>(0, *request.max_items))
                         : SIZE_MAX;
  std::string text;
  bool has_more = true;
  while (left > 0) {
    // The end of the last line of this part.
    std::size_t end = 0;
    std::size_t lines = 0;
    const std::size_t wanted = std::min(left, kItemsInPart);
    while (lines < wanted) {
      const std::size_t line = text.find('\n', end);
      if (line != std::string::npos) {
        if (text.find_first_not_of(" \t\r\n", end) < line) ++lines;
        end = line + 1;
        continue;
      }
      if (!has_more || text.size() > kMostObjectBytes) {
        end = text.size();
        break;
      }
      has_more = read_more(object.file, text, kReadBytes);
    }
    asl::Data items = asl::parse_items(request.config, std::string_view(text).substr(0, end));
    text.erase(0, end);
    left -= std::min(left, items->is_array() ? items->get_array().size() : 0);
    const bool is_last =
        left == 0 || (!has_more && text.find_first_not_of(" \t\r\n") == std::string::npos);
    take({std::move(items), source, !is_last});
    if (is_last) return;
  }
  take({asl::make_data(json::array()), source, false});
}

void ObjectMapStore::read_manifest(const workflow::ItemsRequest& request, const Caller& caller,
                                   store::OpenObject& object, const std::string& source,
                                   const Take& take) {
  const asl::ItemManifest manifest = asl::parse_manifest(
      request.config, read_whole(object.file, kMostObjectBytes, "the manifest '" + source + "'"));
  std::size_t left = request.max_items
                         ? static_cast<std::size_t>(std::max<std::int64_t>(0, *request.max_items))
                         : SIZE_MAX;
  for (const auto& [bucket, key] : manifest.objects) {
    if (left == 0) break;
    roles_.require_object(caller, "s3:GetObject", bucket, key);
    const auto file = objects_.open(bucket, key);
    if (!file) {
      throw Error(ErrorCode::not_found, "the manifest names object '" + key + "' in bucket '" +
                                            bucket + "', which is not there");
    }
    std::string bytes = read_whole(file->file, kMostObjectBytes, "object '" + key + "'");
    if (is_gzip(bytes)) bytes = gunzip(bytes, kMostObjectBytes);
    asl::Data items = asl::parse_items(manifest.config, bytes);
    const auto* list = items->if_array();
    if (list == nullptr) {
      throw Error(ErrorCode::invalid_argument,
                  "object '" + key + "' of the manifest must hold an array");
    }
    if (list->size() > left) {
      const auto end = list->begin() + static_cast<std::ptrdiff_t>(left);
      items = asl::make_data(json::array(list->begin(), end));
    }
    left -= std::min(left, list->size());
    take({std::move(items), source, true});
  }
  take({asl::make_data(json::array()), source, false});
}

void ObjectMapStore::read_listing(const workflow::ItemsRequest& request, const Take& take) {
  const auto* parameters = request.parameters->if_object();
  const json::object none;
  const json::object& given = parameters == nullptr ? none : *parameters;
  store::ListRequest list;
  list.bucket = text_or_empty(given, "Bucket");
  list.prefix = text_or_empty(given, "Prefix");
  roles_.require(roles_.caller_of(request.by), "s3:ListBucket", "arn:aws:s3:::" + list.bucket,
                 list_keys(list.prefix, {}));
  std::size_t left = request.max_items
                         ? static_cast<std::size_t>(std::max<std::int64_t>(0, *request.max_items))
                         : SIZE_MAX;
  const std::string source = "S3://" + list.bucket + "/" + list.prefix;
  while (true) {
    const store::ListPage page = objects_.list(list);
    json::array items;
    for (const auto& info : page.objects) {
      if (left == 0) break;
      --left;
      items.push_back(listed(info));
    }
    const bool more = page.next_start_after && left > 0;
    take({asl::make_data(std::move(items)), source, more});
    if (!more) return;
    list.start_after = *page.next_start_after;
  }
}

json::value ObjectMapStore::write(const workflow::ResultsRequest& request, const Each& each) {
  const auto* parameters = request.parameters->if_object();
  const json::object none;
  const json::object& given = parameters == nullptr ? none : *parameters;
  const std::string bucket = text_or_empty(given, "Bucket");
  std::string prefix = text_or_empty(given, "Prefix");
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += "/";
  // The same keys for the same map run: writing again after a crash replaces.
  prefix += request.map_run.substr(request.map_run.rfind(':') + 1) + "/";
  struct Files {
    std::string text;
    json::array written;
    std::size_t next = 0;
  };
  std::map<std::string, Files> all = {{"FAILED", {}}, {"PENDING", {}}, {"SUCCEEDED", {}}};
  store::PutOptions options;
  options.content_type = "application/json";
  const Caller caller = roles_.caller_of(request.by);
  const auto flush = [&](const std::string& name, Files& files) {
    if (files.text.empty()) return;
    files.text += "]";
    const std::string key = prefix + name + "_" + std::to_string(files.next++) + ".json";
    roles_.require_object(caller, "s3:PutObject", bucket, key);
    const auto info = objects_.put(bucket, key, bytes_of(files.text), options);
    files.written.push_back(json::object{{"Key", key}, {"Size", info.size}});
    files.text.clear();
  };
  each([&](const json::object& outcome) {
    const std::string status = text_or_empty(outcome, "Status");
    const std::string name = status == "SUCCEEDED" ? status : "FAILED";
    Files& files = all.at(name);
    files.text += files.text.empty() ? "[" : ",";
    files.text += base::to_text(outcome);
    if (files.text.size() > kResultFileBytes) flush(name, files);
  });
  json::object results;
  for (auto& [name, files] : all) {
    flush(name, files);
    results[name] = std::move(files.written);
  }
  const std::string manifest = base::to_text(json::object{{"DestinationBucket", bucket},
                                                          {"MapRunArn", request.map_run},
                                                          {"ResultFiles", std::move(results)}});
  const std::string key = prefix + "manifest.json";
  roles_.require_object(caller, "s3:PutObject", bucket, key);
  objects_.put(bucket, key, bytes_of(manifest), options);
  return json::object{{"Bucket", bucket}, {"Key", key}};
}

}  // namespace andon::api
