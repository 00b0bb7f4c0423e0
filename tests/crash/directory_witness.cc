// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/directory_witness.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/posix_file_system.h"
#include "storage/verify_directory.h"

namespace varkeep {

bool DirectoryWitness::ExamineDead() {
  litter_ = HalfWritten();
  storage::PosixFileSystem file_system;
  absl::StatusOr<storage::DirectoryReport> report =
      storage::VerifyDirectory(&file_system, directory_);
  if (!report.ok()) {
    verdict_->Violate(
        Verdict::kBadDirectory,
        absl::StrCat("verify ", directory_, ": ", report.status().ToString()));
    return false;
  }
  if (!report->manifest_problem.empty()) {
    verdict_->Violate(Verdict::kBadDirectory, report->manifest_problem);
  }
  bool in_save = false;
  bool any_good = false;
  for (const auto& checkpoint : report->checkpoints) {
    if (checkpoint.listed && checkpoint.report.damage.empty()) any_good = true;
    if (!checkpoint.listed) in_save = true;
    for (const storage::Damage& damage : checkpoint.report.damage) {
      verdict_->Violate(Verdict::kBadDirectory, damage.message);
    }
  }
  if (!any_good) {
    verdict_->Violate(Verdict::kBadDirectory, "there is no good checkpoint");
  }
  for (const std::string& name : report->litter) {
    if (absl::EndsWith(name, ".h5.tmp")) in_save = true;
  }
  return in_save;
}

void DirectoryWitness::ExamineAlive() {
  // The server may have begun a save of its own meanwhile.
  const Files now = HalfWritten();
  for (const auto& [name, written] : litter_) {
    const auto found = now.find(name);
    if (found == now.end() || found->second != written) continue;
    verdict_->Violate(Verdict::kBadDirectory,
                      absl::StrCat("a start did not remove ", name));
  }
}

DirectoryWitness::Files DirectoryWitness::HalfWritten() const {
  Files files;
  std::error_code gone;  // a file may be renamed while we look
  for (const std::string& directory : {directory_, directory_ + "/log"}) {
    for (const auto& file :
         std::filesystem::directory_iterator(directory, gone)) {
      if (file.path().extension() != ".tmp") continue;
      const auto written = std::filesystem::last_write_time(file.path(), gone);
      if (!gone) files[file.path()] = written;
    }
  }
  return files;
}

}  // namespace varkeep
