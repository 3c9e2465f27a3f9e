//! Where a network is computed: `--device` and `--precision`.

use crate::report::ReportArgs;
use crate::stream::Failure;
use anyhow::{Result, bail};
use serde_json::json;
use std::str::FromStr;
use wordmill::nn::device::{DeviceError, Gpu, Numbers};

/// Flags for the device.
#[derive(clap::Args, Clone)]
pub struct DeviceArgs {
    /// Where to compute: cpu, cuda (the first GPU), cuda:N (the N-th, from 0 on), cuda:N,M (several, to train), or
    /// auto, a GPU where there is one
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Device,
    /// How numbers are kept on a GPU; auto takes bf16 where there are units for it, f16 on older ones
    #[arg(long, value_enum, value_name = "NUMBERS", default_value = "auto")]
    precision: Precision,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Device {
    Auto,
    Cpu,
    /// The GPUs of these numbers: one at least, none twice.
    Cuda(Vec<usize>),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Device, String> {
        match text {
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(vec![0])),
            _ => match text.strip_prefix("cuda:") {
                Some(text) => Ok(Device::Cuda(numbers(text)?)),
                None => Err("expected cpu, cuda, cuda:N, cuda:N,M or auto".to_owned()),
            },
        }
    }
}

/// Numbers of GPUs, parted by commas.
fn numbers(text: &str) -> std::result::Result<Vec<usize>, String> {
    let mut numbers = Vec::new();
    for text in text.split(',') {
        let number = match text.parse() {
            Ok(number) => number,
            Err(_) if text.is_empty() => return Err("the number of a GPU is missing".to_owned()),
            Err(_) => return Err(format!("no number of a GPU: {text}")),
        };
        if numbers.contains(&number) {
            return Err(format!("GPU {number} is named twice"));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Precision {
    Auto,
    F32,
    /// F32, multiplied in TensorFloat-32
    Tf32,
    /// Values between layers in half precision, gradients with a scale; weights and sums in f32
    F16,
    /// Values between layers in bfloat16; weights, gradients and sums in f32
    Bf16,
}

impl DeviceArgs {
    /// The GPU, if one is to compute; that is said to the user of a command.
    ///
    /// # Errors
    /// When one is asked for that cannot be used, or several are.
    pub fn open(&self, report: ReportArgs, command: &str) -> Result<Option<Gpu>> {
        match self.gpus().len() {
            0 | 1 => self.open_behind(0, report, command),
            several => bail!(
                Failure::usage(format!("--device names {several} GPUs")).hint(
                    "only `transformer train`, `seq2seq train` and `gan train` compute on several at once; name one"
                )
            ),
        }
    }

    /// The same for one of several processes on a machine, behind those that take a GPU each before it: the next one that
    /// is named, or that there is.
    ///
    /// # Errors
    /// When one is asked for that cannot be used.
    pub fn open_behind(
        &self,
        others: usize,
        report: ReportArgs,
        command: &str,
    ) -> Result<Option<Gpu>> {
        if self.device == Device::Cpu {
            return Ok(None);
        }
        let named = self.gpus();
        let first = named.first().unwrap_or(&0);
        let number = named.get(others).copied().unwrap_or(first + others);
        let error = match Gpu::open(number, self.numbers()) {
            Ok(gpu) => {
                let (device, numbers) = (&gpu.facts().name, gpu.numbers());
                let numbers = format!("{numbers:?}").to_lowercase();
                report.say(
                    || json!({"event": "device", "name": device, "precision": numbers}),
                    || format!("wordmill {command}: computes on {device} in {numbers}"),
                );
                return Ok(Some(gpu));
            }
            Err(error) => error,
        };
        match (&self.device, &error) {
            // Most machines have none, and nobody asked for one.
            (Device::Auto, DeviceError::Built | DeviceError::Driver) => {}
            (Device::Auto, _) => on_the_cpu(report, command, &error.to_string()),
            _ => bail!(failure(&error)),
        }
        Ok(None)
    }

    /// The GPU, unless there is a problem that keeps it from computing.
    ///
    /// # Errors
    /// When it was asked for.
    pub fn allow(
        &self,
        gpu: Option<Gpu>,
        problem: Option<String>,
        (report, command): (ReportArgs, &str),
    ) -> Result<Option<Gpu>> {
        match problem {
            Some(problem) if gpu.is_some() => {
                self.refuse(&problem)?;
                on_the_cpu(report, command, &problem);
                Ok(None)
            }
            _ => Ok(gpu),
        }
    }

    /// The same in f32, where nobody has said how numbers are kept.
    pub fn exact(&self) -> DeviceArgs {
        let precision = match self.precision {
            Precision::Auto => Precision::F32,
            said => said,
        };
        DeviceArgs {
            precision,
            ..self.clone()
        }
    }

    /// The numbers of the GPUs that are asked for.
    pub fn gpus(&self) -> &[usize] {
        match &self.device {
            Device::Cuda(numbers) => numbers,
            Device::Auto | Device::Cpu => &[],
        }
    }

    /// # Errors
    /// When one of the GPUs that are asked for is not there.
    pub fn must_be_there(&self) -> Result<()> {
        let count = Gpu::count().map_err(|error| failure(&error))?;
        match self.gpus().iter().find(|number| **number >= count) {
            Some(&number) => bail!(failure(&DeviceError::Number { number, count })),
            None => Ok(()),
        }
    }

    /// Whether nobody has said where to compute.
    pub fn is_auto(&self) -> bool {
        self.device == Device::Auto
    }

    /// # Errors
    /// When a GPU was asked for, which cannot compute for that reason.
    pub fn refuse(&self, problem: &str) -> Result<()> {
        match &self.device {
            Device::Cuda(_) => {
                bail!(Failure::usage(problem).hint("leave --device out: the CPU computes"))
            }
            Device::Auto | Device::Cpu => Ok(()),
        }
    }

    fn numbers(&self) -> Option<Numbers> {
        match self.precision {
            Precision::Auto => None,
            Precision::F32 => Some(Numbers::F32),
            Precision::Tf32 => Some(Numbers::Tf32),
            Precision::F16 => Some(Numbers::F16),
            Precision::Bf16 => Some(Numbers::Bf16),
        }
    }
}

fn on_the_cpu(report: ReportArgs, command: &str, problem: &str) {
    report.say(
        || json!({"event": "device", "name": "cpu", "problem": problem}),
        || format!("wordmill {command}: computes on the CPU: {problem}"),
    );
}

fn failure(error: &DeviceError) -> Failure {
    let hint = match error {
        DeviceError::Built => "leave --device out, or take a wordmill built with --features cuda",
        DeviceError::Driver => "it comes with NVIDIA's driver; LD_LIBRARY_PATH names other folders",
        DeviceError::Library => {
            "it comes with the CUDA toolkit; LD_LIBRARY_PATH names other folders"
        }
        DeviceError::None { .. } => "nvidia-smi shows what the driver sees",
        DeviceError::Memory { .. } => "nvidia-smi shows which processes have it",
        DeviceError::Number { .. } => "GPUs are counted from 0 on",
        DeviceError::Capability { .. } => {
            "--device cpu computes without it; CUDA_COMPUTE_CAP says at the build for which it is"
        }
        DeviceError::Numbers { .. } => {
            "--precision auto takes the fastest that it has, f32 is what every GPU has"
        }
    };
    Failure::usage(error.to_string()).hint(hint)
}
