// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/job_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/os/tree_walk.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "store/archive/tar_archive.hpp"
#include "workflow/jobs/job_place.hpp"

namespace andon::workflow {
namespace {

using base::Error;
using base::ErrorCode;
using job::fs::path;

constexpr std::uint64_t kMostObjects = 100'000;
constexpr std::size_t kMostManifest = 8U << 20U;
constexpr std::uint64_t kMostCode = 1ULL << 30U;  // of a submit directory's archive

Error wrong(const std::string& message) {
  return Error(ErrorCode::invalid_argument, message);
}

std::string uri_of(const std::string& bucket, const std::string& key) {
  return "s3://" + bucket + "/" + key;
}

// A key as a path below a directory, and nowhere else.
void check_relative(const std::string& relative, const std::string& uri) {
  const auto parts = base::split(relative, '/');
  const bool is_good = relative.find('\0') == std::string::npos &&
                       std::ranges::none_of(parts, [](std::string_view part) {
                         return part.empty() || part == "." || part == ".." || part.size() > 255;
                       });
  if (!is_good) throw wrong("the object " + uri + " has a key that cannot be a file's path here");
}

// How a key below an S3Uri is called in the job.
std::string relative_of(const std::string& prefix, const std::string& key) {
  if (key == prefix) return key.substr(key.rfind('/') + 1);
  if (prefix.empty() || prefix.ends_with('/')) return key.substr(prefix.size());
  if (key[prefix.size()] == '/') return key.substr(prefix.size() + 1);
  return key.substr(prefix.rfind('/') + 1);
}

class Filler {
 public:
  Filler(const job::JobDirectory& directory, const JobObjects& objects, std::uint64_t most_bytes)
      : directory_(directory), objects_(objects), left_(most_bytes) {}

  void fill(const JobSource& source) {
    const S3Place place = parse_s3_uri(source.uri, source.name);
    const path target = directory_.work() / source.directory;
    job::fs::create_directories(target);
    if (source.is_manifest) {
      follow_manifest(place, target);
      return;
    }
    objects_.require("s3:ListBucket", place.bucket, {});
    std::uint64_t count = 0;
    store::ListRequest request{.bucket = place.bucket, .prefix = place.key};
    while (true) {
      const store::ListPage page = objects_.store.list(request);
      for (const store::ObjectInfo& info : page.objects) {
        if (info.key.ends_with('/') && info.size == 0) continue;  // a folder's mark
        put(place.bucket, info.key, target, relative_of(place.key, info.key));
        ++count;
      }
      if (!page.next_start_after) break;
      request.start_after = *page.next_start_after;
    }
    if (count == 0)
      throw wrong("there is no object at " + source.uri + " for '" + source.name + "'");
  }

  void put(const std::string& bucket, const std::string& key, const path& target,
           const std::string& relative) {
    const std::string uri = uri_of(bucket, key);
    check_relative(relative, uri);
    if (++files_ > kMostObjects) throw wrong("the inputs are more than 100000 objects, at " + uri);
    objects_.require("s3:GetObject", bucket, key);
    const auto object = objects_.store.open(bucket, key);
    if (!object) throw wrong("there is no object at " + uri);
    if (object->info.size > left_) {
      throw Error(ErrorCode::resource_exhausted,
                  "the inputs are larger than the job's diskMiB, at " + uri);
    }
    left_ -= object->info.size;
    const path file = target / relative;
    job::fs::create_directories(file.parent_path());
    const base::UniqueFd to = base::open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    copy_all(object->file.get(), to.get(), file);
  }

 private:
  // [{"prefix": "s3://bucket/images/"}, "a.jpg", "b/c.jpg"]
  void follow_manifest(const S3Place& place, const path& target) {
    const std::string uri = uri_of(place.bucket, place.key);
    objects_.require("s3:GetObject", place.bucket, place.key);
    const auto object = objects_.store.open(place.bucket, place.key);
    if (!object) throw wrong("there is no manifest at " + uri);
    if (object->info.size > kMostManifest) throw wrong("the manifest at " + uri + " is too large");
    std::string text(object->info.size, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
      const ssize_t got = ::read(object->file.get(), text.data() + have, text.size() - have);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw base::system_error("cannot read the manifest at " + uri, errno);
      have += static_cast<std::size_t>(got);
    }
    const json::value document =
        base::parse_json(text, "the manifest at " + uri, {.max_bytes = kMostManifest});
    const json::array* list = document.if_array();
    const json::object* first =
        list == nullptr || list->empty() ? nullptr : list->at(0).if_object();
    const json::value* prefix = first == nullptr ? nullptr : first->if_contains("prefix");
    if (prefix == nullptr || !prefix->is_string()) {
      throw wrong("the manifest at " + uri +
                  " must be a list that begins with {\"prefix\": \"s3://"
                  "...\"}");
    }
    const S3Place from =
        parse_s3_uri(std::string_view(prefix->get_string()), "the manifest's prefix");
    for (std::size_t i = 1; i < list->size(); ++i) {
      const json::value& one = list->at(i);
      if (!one.is_string()) throw wrong("the manifest at " + uri + " has an entry that is no text");
      const std::string relative(one.get_string());
      put(from.bucket, from.key + relative, target, relative);
    }
  }

  const job::JobDirectory& directory_;
  const JobObjects& objects_;
  std::uint64_t left_;
  std::uint64_t files_ = 0;
};

// The archive of a submit directory becomes ml/code.
void put_code(const JobContract& contract, const job::JobDirectory& directory,
              const JobObjects& objects, Filler& filler) {
  path archive = directory.work() / *contract.submit_directory;
  const path fetched = directory.path() / "code";
  if (contract.submit_directory->starts_with("s3://")) {
    const S3Place place = parse_s3_uri(*contract.submit_directory, "sagemaker_submit_directory");
    objects.require("s3:GetObject", place.bucket, place.key);
    filler.put(place.bucket, place.key, fetched, "sourcedir.tar.gz");
    archive = fetched / "sourcedir.tar.gz";
  }
  const path code = directory.work() / kMlDirectory / "code";
  job::fs::remove_all(code);
  if (!job::fs::is_regular_file(archive)) {
    throw wrong("there is no archive '" + *contract.submit_directory +
                "' to be the submit directory");
  }
  try {
    store::unpack_tar_gz(archive, code, store::kArchivesModes,
                         {.max_bytes = std::min(kMostCode, contract.limits.disk_bytes)});
  } catch (base::Error& error) {
    throw wrong("the submit directory " + *contract.submit_directory + ": " + error.message());
  }
  job::fs::remove_all(fetched);
}

void put_file(store::ObjectStore& store, const S3Place& place, int fd, const std::string& type) {
  store.put(place.bucket, place.key,
            [fd](char* buffer, std::size_t size) {
              ssize_t got = 0;
              do {
                got = ::read(fd, buffer, size);
              } while (got < 0 && errno == EINTR);
              if (got < 0) throw base::system_error("cannot read a file of a job", errno);
              return static_cast<std::size_t>(got);
            },
            {.content_type = type});
}

// Each plain file below `top`, as an object below `place`.
void put_tree(int top, S3Place place, const JobObjects& objects) {
  if (!place.key.empty() && !place.key.ends_with('/')) place.key += '/';
  base::walk_tree(top, {}, [&](const base::TreeEntry& entry) {
    if (entry.kind != base::TreeEntry::Kind::file) return;
    const S3Place one{.bucket = place.bucket, .key = place.key + base::to_valid_utf8(entry.path)};
    objects.require("s3:PutObject", one.bucket, one.key);
    put_file(objects.store, one, entry.fd, "application/octet-stream");
  });
}

void put_archive(int top, const S3Place& place, const path& archive, const JobObjects& objects) {
  objects.require("s3:PutObject", place.bucket, place.key);
  store::pack_tar_gz(top, archive);
  const base::UniqueFd file = base::open_file(archive, O_RDONLY);
  put_file(objects.store, place, file.get(), "application/x-tar");
  job::fs::remove(archive);
}

bool has_entries(int top) {
  bool any = false;
  base::walk_tree(top, {}, [&any](const base::TreeEntry&) { any = true; });
  return any;
}

}  // namespace

void put_job_files(const JobContract& contract, const job::JobDirectory& directory,
                   const JobObjects& objects) {
  for (const std::string& name : contract.directories) {
    job::fs::create_directories(directory.work() / name);
  }
  for (const auto& [name, content] : contract.files) {
    const path file = directory.work() / name;
    job::fs::create_directories(file.parent_path());
    const base::UniqueFd to = base::open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    base::write_all(to.get(), content, file);
  }
  Filler filler(directory, objects, contract.limits.disk_bytes);
  for (const JobSource& source : contract.sources) filler.fill(source);
  if (contract.submit_directory) put_code(contract, directory, objects, filler);
  give_to_job(directory);
}

void take_processing_outputs(const JobContract& contract, const job::JobDirectory& directory,
                             const JobObjects& objects) {
  for (const JobSink& sink : contract.sinks) {
    const base::UniqueFd top = directory.open_inner(sink.directory);
    if (!top) {
      throw wrong("the job has left no directory for the output '" + sink.name + "'");
    }
    put_tree(top.get(), parse_s3_uri(sink.uri, sink.name), objects);
  }
}

void take_model(const ModelJob& job, const job::JobDirectory& directory,
                const JobObjects& objects) {
  const std::string artifacts = model_artifacts(job);
  const S3Place place = parse_s3_uri(artifacts, "S3OutputPath");
  const std::string ml = std::string(kMlDirectory) + "/";
  if (const base::UniqueFd model = directory.open_inner(ml + "model")) {
    if (artifacts.ends_with('/')) {
      put_tree(model.get(), place, objects);
    } else {
      put_archive(model.get(), place, directory.path() / "model.tar.gz", objects);
    }
  }
  const base::UniqueFd data = directory.open_inner(ml + "output/data");
  if (!data || !has_entries(data.get())) return;
  const S3Place output{.bucket = place.bucket,
                       .key = place.key.substr(0, place.key.rfind("/model") + 1) + "output.tar.gz"};
  put_archive(data.get(), output, directory.path() / "output.tar.gz", objects);
}

std::string take_text(const job::JobDirectory& directory, const std::string& name,
                      std::size_t most_bytes) {
  const base::UniqueFd file = directory.open_plain(name);
  if (!file) return {};
  std::string text(most_bytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return base::to_valid_utf8(text);
}

}  // namespace andon::workflow
