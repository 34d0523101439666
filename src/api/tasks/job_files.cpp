// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/job_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "asl/data/data.hpp"
#include "base/error/error.hpp"
#include "workflow/jobs/job_place.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::fs::path;
using workflow::TaskFailure;

constexpr std::size_t kMostResultDepth = 100;

std::size_t read_some(int fd, char* buffer, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw base::system_error("cannot read a file of a job", errno);
  return static_cast<std::size_t>(got);
}

void put_input(const JobInput& input, const job::JobDirectory& directory,
               store::ObjectStore& objects, std::uint64_t& left) {
  const path file = directory.work() / input.path;
  base::fs::create_directories(file.parent_path());
  const base::UniqueFd to = base::open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const auto take = [&](std::uint64_t bytes) {
    if (bytes > left) {
      throw TaskFailure("Job.InvalidInput",
                        "the inputs are larger than the job's DiskMiB, at '" + input.path + "'");
    }
    left -= bytes;
  };
  if (const auto* text = std::get_if<std::string>(&input.content)) {
    take(text->size());
    base::write_all(to.get(), *text, file);
    return;
  }
  const ObjectName& name = std::get<ObjectName>(input.content);
  const auto object = objects.open(name.bucket, name.key);
  if (!object) {
    throw TaskFailure("Job.InvalidInput", "there is no object '" + name.key + "' in the bucket '" +
                                              name.bucket + "' for the input '" + input.path + "'");
  }
  take(object->info.size);
  workflow::copy_all(object->file.get(), to.get(), file);
}

}  // namespace

void put_inputs(const JobParameters& job, const job::JobDirectory& directory,
                store::ObjectStore& objects) {
  std::uint64_t left = job.order.rules.limits.disk_bytes;
  for (const JobInput& input : job.inputs) put_input(input, directory, objects, left);
  workflow::give_to_job(directory);
}

json::object take_outputs(const JobParameters& job, const job::JobDirectory& directory,
                          store::ObjectStore& objects) {
  json::object stored;
  for (const JobOutput& output : job.outputs) {
    const base::UniqueFd file = directory.open_plain(output.path);
    if (!file && errno == ENOENT && output.presence == Presence::optional) continue;
    if (!file) {
      throw TaskFailure("Job.InvalidOutput",
                        "the job has not made '" + output.path +
                            "', or it is no plain file: " + std::string(strerror(errno)));
    }
    try {
      const store::ObjectInfo info = objects.put(
          output.object.bucket, output.object.key,
          [&file](char* buffer, std::size_t size) { return read_some(file.get(), buffer, size); },
          {});
      stored[output.path] = {{"Bucket", info.bucket},
                             {"Key", info.key},
                             {"ETag", "\"" + info.etag + "\""},
                             {"ContentLength", info.size},
                             {"Sha256", info.sha256}};
    } catch (const base::Error& error) {
      throw TaskFailure("Job.InvalidOutput",
                        "the output '" + output.path + "' is not stored: " + error.message());
    }
  }
  return stored;
}

json::value take_result(const job::JobDirectory& directory) {
  const base::UniqueFd file = directory.open_plain(kResultFile);
  if (!file) return nullptr;
  std::string text(asl::kMaxDataBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const std::size_t got = read_some(file.get(), text.data() + size, text.size() - size);
    if (got == 0) break;
    size += got;
  }
  text.resize(size);
  try {
    return base::parse_json(text, "the job's result",
                            {.max_bytes = asl::kMaxDataBytes, .max_depth = kMostResultDepth});
  } catch (const base::Error& error) {
    throw TaskFailure("Job.InvalidOutput", error.message());
  }
}

}  // namespace andon::api
