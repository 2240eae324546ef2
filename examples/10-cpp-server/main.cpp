//===- main.cpp - Attention as a service -----------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads requests, a number of tokens a line, and answers each with the mean of its
// output. Workers share one session and one kernel: no length compiles anything, and
// launches of different lengths run at the same time.
//
//===----------------------------------------------------------------------===//

#include <girih/Girih.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

constexpr int64_t heads = 4, kvHeads = 2, dim = 64;
constexpr unsigned numWorkers = 4;

struct Request {
  size_t number;
  int64_t tokens;
};

/// What came of a request.
struct Answer {
  std::string text;
  double microseconds = 0; ///< of attention alone
};

/// Requests on their way to the workers.
class Queue {
public:
  void push(Request request) {
    std::lock_guard<std::mutex> lock(mutex);
    requests.push_back(request);
    arrived.notify_one();
  }
  void close() {
    std::lock_guard<std::mutex> lock(mutex);
    isClosed = true;
    arrived.notify_all();
  }
  /// False when there will be none.
  bool pop(Request &request) {
    std::unique_lock<std::mutex> lock(mutex);
    arrived.wait(lock, [&] { return isClosed || !requests.empty(); });
    if (requests.empty())
      return false;
    request = requests.front();
    requests.pop_front();
    return true;
  }

private:
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Request> requests;
  bool isClosed = false;
};

std::vector<float> numbers(int64_t size, uint32_t seed) {
  std::vector<float> values(static_cast<size_t>(size));
  for (float &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1.0f;
  }
  return values;
}

/// Values are all 1, so that their weighted means are, whatever the weights.
Answer serve(girih::api::Kernel &kernel, const Request &request) {
  using girih::api::Tensor;
  const int64_t n = request.tokens;
  Answer answer;
  try {
    if (n < 1 || n > 1 << 16)
      throw std::runtime_error("expected 1 to 65536 tokens");
    std::vector<float> q = numbers(heads * n * dim, 1), k = numbers(kvHeads * n * dim, 2);
    std::vector<float> v(k.size(), 1.0f), o(q.size());
    girih::api::LaunchOptions options;
    options.threads = 1; // the workers are the threads
    auto start = std::chrono::steady_clock::now();
    kernel.attention(Tensor::f32(q.data(), {1, heads, n, dim}),
                     Tensor::f32(k.data(), {1, kvHeads, n, dim}),
                     Tensor::f32(v.data(), {1, kvHeads, n, dim}),
                     Tensor::f32(o.data(), {1, heads, n, dim}), options);
    answer.microseconds =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    double sum = 0;
    for (float value : o)
      sum += value;
    char text[64];
    snprintf(text, sizeof(text), "mean output %.4f", sum / static_cast<double>(o.size()));
    answer.text = text;
  } catch (const std::exception &error) {
    answer.text = std::string("error: ") + error.what();
  }
  return answer;
}

} // namespace

int main() try {
  girih::api::Session session;
  girih::api::Pattern pattern = session.pattern("causal & (window(left=255) | global(first=4))");
  girih::api::CompileOptions options;
  options.headDim = dim;
  girih::api::Kernel kernel = session.compile(pattern, options);

  Queue queue;
  std::mutex answersMutex;
  std::vector<Answer> answers;
  auto work = [&] {
    for (Request request; queue.pop(request);) {
      Answer answer = serve(kernel, request);
      std::lock_guard<std::mutex> lock(answersMutex);
      answers[request.number] = std::move(answer);
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i != numWorkers; ++i)
    workers.emplace_back(work);
  std::vector<int64_t> lengths;
  for (int64_t tokens; std::cin >> tokens;) {
    {
      std::lock_guard<std::mutex> lock(answersMutex);
      answers.emplace_back();
    }
    queue.push({lengths.size(), tokens});
    lengths.push_back(tokens);
  }
  queue.close();
  for (std::thread &worker : workers)
    worker.join();

  std::vector<double> latencies;
  for (size_t i = 0; i != lengths.size(); ++i) {
    printf("request %zu, %lld tokens: %s\n", i, static_cast<long long>(lengths[i]),
           answers[i].text.c_str());
    if (answers[i].microseconds > 0)
      latencies.push_back(answers[i].microseconds);
  }
  printf("kernels compiled: %lld\n", static_cast<long long>(session.compilations()));
  if (!latencies.empty()) {
    std::sort(latencies.begin(), latencies.end());
    printf("latency: median %.0f us, largest %.0f us\n", latencies[latencies.size() / 2],
           latencies.back());
  }
  return 0;
} catch (const std::exception &error) {
  fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
