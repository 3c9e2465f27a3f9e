# For builds with the feature cuda where nothing compiles its kernels, to be read by a shell in the root: kernels that are
# none, as if for 8.0; and GPUs before that are not refused, so that they can be emulated.
export WORDMILL_KERNELS=$PWD/tests/gpu/none.ptx CUDA_COMPUTE_CAP=70
