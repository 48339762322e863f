using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// Convolutions and linear layers with weights in the layout that oneDNN's kernels read (what libtorch's own compiler
/// emits for a CPU). The ordinary calls turn a weight into that layout every time, which at SD 1.5's deepest levels
/// takes three times as long as the convolution itself. TorchSharp does not bind these calls; libtorch exports them
/// with a C interface that is kept between versions (torch/csrc/stable/c/shim.h and
/// torch/csrc/inductor/aoti_torch/c/shim_cpu.h), whose tensor handles are TorchSharp's.
/// </summary>
internal static unsafe partial class OneDnn
{
    private const string Library = "torch_cpu";
    private const ulong AbiVersion = (2UL << 56) | (10UL << 48); // the libtorch that this is written for

    private static readonly Lazy<bool> _hasBFloat16 = new(HasBFloat16);
    private static readonly byte[] _none = "none\0"u8.ToArray();

    /// <summary>Whether this libtorch has them: it does on x64, and not on Apple's processors.</summary>
    public static bool IsAvailable { get; } =
        NativeLibrary.TryLoad(Library, typeof(OneDnn).Assembly, null, out var handle)
        && NativeLibrary.TryGetExport(handle, "aoti_torch_cpu_mkldnn__convolution_pointwise", out _)
        && NativeLibrary.TryGetExport(handle, "torch_call_dispatcher", out _);

    /// <summary>Whether this processor computes in that type at all.</summary>
    public static bool Supports(ScalarType dtype) =>
        IsAvailable && (dtype == ScalarType.Float32 || (dtype == ScalarType.BFloat16 && _hasBFloat16.Value));

    /// <summary>A convolution's weight in oneDNN's layout, an opaque tensor.</summary>
    /// <param name="weight">(O, I, kh, kw), fp32 or bf16. 1×1 is a linear layer's.</param>
    /// <param name="stride">Of the convolution.</param>
    /// <param name="padding">Of the convolution.</param>
    /// <param name="inputShape">(B, I, H, W) that it is meant for: the layout that is best there. Others are computed
    /// too, on some processors ten times as slowly.</param>
    public static Tensor PackConvolution(Tensor weight, long stride, long padding, long[] inputShape)
    {
        var stack = stackalloc ulong[6]
        {
            (ulong)Copy(weight),
            (ulong)List([padding, padding]),
            (ulong)List([stride, stride]),
            (ulong)List([1, 1]),
            1,
            Some((ulong)List(inputShape)),
        };
        return Tensor.UnsafeCreateTensor((nint)Call("mkldnn::_reorder_convolution_weight", stack));
    }

    /// <summary>A linear layer's weight in oneDNN's layout, an opaque tensor.</summary>
    /// <param name="weight">(O, I), fp32 or bf16.</param>
    public static Tensor PackLinear(Tensor weight)
    {
        var stack = stackalloc ulong[2] { (ulong)Copy(weight), 0 };
        return Tensor.UnsafeCreateTensor((nint)Call("mkldnn::_reorder_linear_weight", stack));
    }

    /// <summary>The convolution x ∗ w + b.</summary>
    /// <param name="x">(B, I, H, W), any strides; channels-last is read as it is.</param>
    /// <param name="packed">Of <see cref="PackConvolution"/>.</param>
    /// <param name="bias">(O); null: none.</param>
    /// <param name="stride">Of the convolution.</param>
    /// <param name="padding">Of the convolution.</param>
    /// <returns>(B, O, H', W'), channels-last. No graph.</returns>
    public static Tensor Convolution(Tensor x, Tensor packed, Tensor? bias, long stride, long padding)
    {
        long* paddings = stackalloc long[2] { padding, padding };
        long* strides = stackalloc long[2] { stride, stride };
        long* ones = stackalloc long[2] { 1, 1 };
        var biasHandle = bias?.Handle ?? 0;
        nint result;
        fixed (byte* none = _none)
        {
            Check(
                ConvolutionPointwise(
                    x.Handle,
                    packed.Handle,
                    bias is null ? null : &biasHandle,
                    paddings,
                    2,
                    strides,
                    2,
                    ones,
                    2,
                    1,
                    none,
                    null,
                    0,
                    null,
                    &result
                )
            );
        }

        GC.KeepAlive(x);
        GC.KeepAlive(packed);
        GC.KeepAlive(bias);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>x Wᵀ + b.</summary>
    /// <param name="x">(…, I)</param>
    /// <param name="packed">Of <see cref="PackLinear"/>.</param>
    /// <param name="bias">(O); null: none.</param>
    /// <returns>(…, O). No graph.</returns>
    public static Tensor Linear(Tensor x, Tensor packed, Tensor? bias)
    {
        var biasHandle = bias?.Handle ?? 0;
        nint result;
        fixed (byte* none = _none)
        {
            Check(
                LinearPointwise(
                    x.Handle,
                    packed.Handle,
                    bias is null ? null : &biasHandle,
                    none,
                    null,
                    0,
                    null,
                    &result
                )
            );
        }

        GC.KeepAlive(x);
        GC.KeepAlive(packed);
        GC.KeepAlive(bias);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>The gradient of a softmax over the last axis, in one pass.</summary>
    /// <param name="gradient">With respect to its result; of the result's type.</param>
    /// <param name="result">What it gave.</param>
    public static Tensor SoftmaxBackward(Tensor gradient, Tensor result)
    {
        var stack = stackalloc ulong[4]
        {
            (ulong)Copy(gradient),
            (ulong)Copy(result),
            unchecked((ulong)-1L),
            (ulong)result.dtype,
        };
        return Tensor.UnsafeCreateTensor((nint)Call("aten::_softmax_backward_data", stack));
    }

    /// <summary>The gradient of a convolution with respect to its input.</summary>
    /// <param name="gradient">With respect to its result, (B, O, H', W').</param>
    /// <param name="inputShape">(B, I, H, W)</param>
    /// <param name="weight">(O, I, kh, kw), plain.</param>
    /// <param name="stride">Of the convolution.</param>
    /// <param name="padding">Of the convolution.</param>
    /// <returns>(B, I, H, W), channels-last. No graph.</returns>
    public static Tensor ConvolutionBackward(
        Tensor gradient,
        long[] inputShape,
        Tensor weight,
        long stride,
        long padding
    )
    {
        using var scope = NewDisposeScope();
        var input = empty(inputShape[0], inputShape[2], inputShape[3], inputShape[1], gradient.dtype)
            .permute(0, 3, 1, 2); // only its shape is looked at
        var stack = stackalloc ulong[11]
        {
            (ulong)Copy(gradient),
            (ulong)Copy(input),
            (ulong)Copy(weight),
            0,
            (ulong)List([stride, stride]),
            (ulong)List([padding, padding]),
            (ulong)List([1, 1]),
            0,
            (ulong)List([0, 0]),
            1,
            (ulong)List([1, 0, 0]),
        };
        var result = Tensor.UnsafeCreateTensor((nint)Call("aten::convolution_backward", stack));
        for (var unasked = 1; unasked <= 2; unasked++)
        {
            Check(DeleteTensor((nint)stack[unasked]));
        }

        return result.MoveToOuterDisposeScope();
    }

    private static ulong Call(string name, ulong* stack)
    {
        Check(CallDispatcher(name, "", stack, AbiVersion));
        return stack[0];
    }

    private static bool HasBFloat16()
    {
        ulong stack = 0;
        return Call("mkldnn::_is_mkldnn_bf16_supported", &stack) != 0;
    }

    private static nint Copy(Tensor tensor)
    {
        nint copy;
        Check(NewTensorHandle(tensor.Handle, &copy));
        GC.KeepAlive(tensor);
        return copy;
    }

    private static nint List(long[] values)
    {
        nint list;
        Check(NewList((nuint)values.Length, &list));
        foreach (var value in values)
        {
            Check(PushBack(list, (ulong)value));
        }

        return list;
    }

    /// <summary>An optional argument that has a value; the callee frees it.</summary>
    private static ulong Some(ulong value)
    {
        var box = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *box = value;
        return (ulong)box;
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new InvalidOperationException(
                "oneDNN refused a call; libtorch wrote its reason to the standard error."
            );
        }
    }

    [LibraryImport(Library, EntryPoint = "aoti_torch_cpu_mkldnn__convolution_pointwise")]
    private static partial int ConvolutionPointwise(
        nint x,
        nint w,
        nint* bias,
        long* padding,
        long paddingLength,
        long* stride,
        long strideLength,
        long* dilation,
        long dilationLength,
        long groups,
        byte* attr,
        double** scalars,
        long scalarsLength,
        byte** algorithm,
        nint* result
    );

    [LibraryImport(Library, EntryPoint = "aoti_torch_cpu__linear_pointwise")]
    private static partial int LinearPointwise(
        nint x,
        nint w,
        nint* bias,
        byte* attr,
        double** scalars,
        long scalarsLength,
        byte** algorithm,
        nint* result
    );

    [LibraryImport(Library, EntryPoint = "torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallDispatcher(string name, string overload, ulong* stack, ulong abiVersion);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewTensorHandle(nint original, nint* copy);

    [LibraryImport(Library, EntryPoint = "aoti_torch_delete_tensor_object")]
    private static partial int DeleteTensor(nint tensor);

    [LibraryImport(Library, EntryPoint = "torch_new_list_reserve_size")]
    private static partial int NewList(nuint size, nint* list);

    [LibraryImport(Library, EntryPoint = "torch_list_push_back")]
    private static partial int PushBack(nint list, ulong value);
}
