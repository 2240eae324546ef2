//===- Ptxas.cpp - PTX to machine code, and what ptxas says ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Target/Ptxas.h"

#include "girih/Support/Error.h"
#include "girih/Support/RunProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;
using llvm::StringRef;

/// The number right before `what`: 168 in "Used 168 registers", for " registers".
/// 0 without one.
static int numberBefore(StringRef line, StringRef what) {
  size_t end = line.find(what);
  if (end == StringRef::npos)
    return 0;
  StringRef head = line.take_front(end);
  StringRef digits = head.drop_front(head.rtrim("0123456789").size());
  int value = 0;
  return digits.getAsInteger(10, value) ? 0 : value;
}

/// Whether the line carries one of the codes of PtxasReport::complaints.
static bool hasComplaintCode(StringRef line) {
  size_t at = line.find("(C75");
  if (at == StringRef::npos)
    return false;
  StringRef code = line.drop_front(at + 1).take_until([](char c) { return c == ')'; });
  return code == "C7507" || code == "C7508" || (code.size() == 5 && code.starts_with("C751"));
}

PtxasReport girih::parsePtxasText(StringRef text) {
  PtxasReport report;
  report.text = text.str();
  for (StringRef rest = text; !rest.empty();) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    int spills =
        numberBefore(line, " bytes spill stores") + numberBefore(line, " bytes spill loads");
    report.registers = std::max(report.registers, numberBefore(line, " registers"));
    report.sharedBytes = std::max(report.sharedBytes, numberBefore(line, " bytes smem"));
    report.spillBytes += spills;
    if (spills || hasComplaintCode(line))
      report.complaints.push_back(line.trim().str());
  }
  return report;
}

static constexpr llvm::StringLiteral namedByUser = "GIRIH_PTXAS";

/// Every ptxas that there is, the one to try first in front: $GIRIH_PTXAS alone, else
/// those of PATH and of CUDA's folder.
static llvm::Expected<std::vector<std::string>> findEveryPtxas(bool &isNamed) {
  auto named = llvm::sys::Process::GetEnv(namedByUser);
  isNamed = named && !named->empty();
  if (isNamed) {
    if (llvm::sys::fs::can_execute(*named))
      return std::vector{*named};
    return invalidError("expected GIRIH_PTXAS to name an executable file, but got '" + *named +
                        "'");
  }
  std::string path = llvm::sys::Process::GetEnv("PATH").value_or("");
  std::vector<std::string> found;
  auto folders = llvm::to_vector(llvm::split(path, ':'));
  std::string cuda = llvm::sys::Process::GetEnv("CUDA_HOME").value_or("/usr/local/cuda") + "/bin";
  folders.push_back(cuda);
  for (StringRef folder : folders)
    if (!folder.empty())
      if (auto program = llvm::sys::findProgramByName("ptxas", {folder});
          program && !llvm::is_contained(found, *program))
        found.push_back(*program);
  if (!found.empty())
    return found;
  return unsupportedError("expected ptxas of CUDA 12.0 or later in GIRIH_PTXAS, on PATH or in " +
                          cuda +
                          ", but got none; without it the driver of a GPU compiles PTX when a "
                          "kernel is loaded");
}

namespace {

/// A temporary file that goes with its owner.
class ScratchFile {
public:
  llvm::Error create(StringRef suffix) {
    if (auto error = llvm::sys::fs::createTemporaryFile("girih", suffix, path))
      return internalError("cannot create a temporary file: " + error.message());
    remover.setFile(path);
    return llvm::Error::success();
  }
  llvm::Error write(StringRef bytes) const {
    std::error_code error;
    llvm::raw_fd_ostream stream(path, error);
    if (!error) {
      stream << bytes;
      stream.close();
      error = stream.error();
      stream.clear_error();
    }
    return error ? internalError("cannot write " + path.str().str() + ": " + error.message())
                 : llvm::Error::success();
  }
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> read() const {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      return internalError("cannot read " + path.str().str() + ": " + buffer.getError().message());
    return std::move(*buffer);
  }
  StringRef name() const { return path; }

private:
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

} // namespace

/// Whether ptxas says that it has never heard of our PTX, or of the chip.
static bool isTooOld(StringRef text) {
  return text.contains("Unsupported .version") ||
         (text.contains("is not defined for option") && text.contains("gpu-name"));
}

/// Assembles with one ptxas. `unfit`: it failed since it does not run or is too old.
static llvm::Expected<PtxasReport> assembleWith(StringRef program, StringRef in, StringRef chip,
                                                llvm::SmallVectorImpl<char> &cubin, bool &unfit) {
  ScratchFile out, log;
  if (llvm::Error error = out.create("cubin"))
    return std::move(error);
  if (llvm::Error error = log.create("log"))
    return std::move(error);
  std::string message, arch = "-arch=" + chip.str();
  // Minutes are far beyond any kernel; a hang must not hang the compiler.
  int status = runProgram({program, "-v", arch, in, "-o", out.name()}, log.name(),
                          std::chrono::minutes(5), message);
  auto text = log.read();
  if (!text)
    return text.takeError();
  auto code = out.read();
  if (!code)
    return code.takeError();
  if (status != 0 || (*code)->getBufferSize() == 0) {
    unfit = status == cannotRun || status == notThere || isTooOld((*text)->getBuffer());
    return internalError(program.str() + " failed (" +
                         (message.empty() ? "exit status " + std::to_string(status) : message) +
                         "): " + (*text)->getBuffer().trim().str());
  }
  cubin.append((*code)->getBufferStart(), (*code)->getBufferEnd());
  return parsePtxasText((*text)->getBuffer());
}

llvm::Expected<PtxasReport> girih::assemblePtx(StringRef ptx, StringRef chip,
                                               llvm::SmallVectorImpl<char> &cubin) {
  bool isNamed = false;
  auto programs = findEveryPtxas(isNamed);
  if (!programs)
    return programs.takeError();
  ScratchFile in;
  if (llvm::Error error = in.create("ptx"))
    return std::move(error);
  if (llvm::Error error = in.write(ptx))
    return std::move(error);
  std::string said;
  for (const std::string &program : *programs) {
    bool unfit = false;
    auto report = assembleWith(program, in.name(), chip, cubin, unfit);
    if (report || !unfit)
      return report;
    said = takeStatus(report.takeError()).message;
  }
  if (isNamed)
    return invalidError("expected GIRIH_PTXAS to name ptxas of CUDA 12.0 or later, but got one "
                        "that is older or does not run: " +
                        said);
  return unsupportedError("expected ptxas of CUDA 12.0 or later, but got none that runs and is not "
                          "older: " +
                          said);
}

llvm::Error girih::checkPtxas(StringRef chip) {
  llvm::SmallVector<char, 0> cubin;
  std::string empty = ".version 8.0\n.target " + chip.str() + "\n.address_size 64\n";
  return assemblePtx(empty, chip, cubin).takeError();
}
