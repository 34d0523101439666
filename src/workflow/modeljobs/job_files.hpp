// SPDX-License-Identifier: Apache-2.0
// Objects into a job's /opt/ml before it runs, and out of it when it has ended. Who may read or
// write an object is asked before each. What a job leaves is hostile: no link is followed.
// Blocking; any thread. Throws base::Error that says which object or file.
#pragma once

#include <functional>
#include <string>

#include "job/order/job_directory.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/modeljobs/job_contract.hpp"

namespace andon::workflow {

// Throws base::Error(permission_denied) where it may not; of s3:ListBucket the key is empty.
using MayObject =
    std::function<void(std::string_view action, const std::string& bucket, const std::string& key)>;

struct JobObjects {
  store::ObjectStore& store;
  MayObject require;
};

// Directories, files, channels and code of `contract`, and makes them the job's.
void put_job_files(const JobContract& contract, const job::JobDirectory& directory,
                   const JobObjects& objects);

// Each file of a processing job's outputs, below its S3Uri.
void take_processing_outputs(const JobContract& contract, const job::JobDirectory& directory,
                             const JobObjects& objects);

// /opt/ml/model as model.tar.gz (or its files, for CompressionType NONE), and what is in
// /opt/ml/output/data as output.tar.gz.
void take_model(const ModelJob& job, const job::JobDirectory& directory, const JobObjects& objects);

// The beginning of a small text that the job has left ("ml/output/failure"); empty: none.
[[nodiscard]] std::string take_text(const job::JobDirectory& directory, const std::string& name,
                                    std::size_t most_bytes);

}  // namespace andon::workflow
