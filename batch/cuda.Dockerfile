# wordmill for NVIDIA GPUs in an image: docker build -f batch/cuda.Dockerfile -t wordmill:cuda .
#
#   docker run --rm --gpus all -v "$PWD:/work" wordmill:cuda transformer train --pairs pairs.tsv --out run
#
# The host needs NVIDIA's driver, as new as CUDA 13 asks for, and its container toolkit, which brings libcuda.so.1 in. For an
# older driver set CUDA to a release of CUDA 12. COMPUTE_CAP=75 includes T4.

ARG CUDA=13.0.1
ARG UBUNTU=24.04

FROM nvidia/cuda:${CUDA}-devel-ubuntu${UBUNTU} AS build
ARG COMPUTE_CAP=80
# Rust as it is in its own image, whose C library is older than this one's.
COPY --from=rust:1-slim-bookworm /usr/local/rustup /usr/local/rustup
COPY --from=rust:1-slim-bookworm /usr/local/cargo /usr/local/cargo
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:$PATH
ENV CUDA_HOME=/usr/local/cuda CUDA_COMPUTE_CAP=${COMPUTE_CAP}
WORKDIR /src
COPY . .
RUN cargo build --release --locked --features cuda

# `runtime` has cuBLAS and NCCL, `base` has not.
FROM nvidia/cuda:${CUDA}-runtime-ubuntu${UBUNTU}
COPY --from=build /src/target/release/wordmill /usr/local/bin/wordmill
COPY LICENSE-MIT LICENSE-APACHE LICENSE-SNOWBALL LICENSES-THIRD-PARTY.md /usr/share/doc/wordmill/
RUN useradd --uid 65532 --create-home wordmill && install -d -o wordmill /work
USER 65532
WORKDIR /work
# Not through a shell: SIGTERM of `docker stop` is wordmill's, whose trainers write a checkpoint then. Give them the time for
# it: docker stop --time 100.
ENTRYPOINT ["wordmill"]
