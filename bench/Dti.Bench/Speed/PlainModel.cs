using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Bench.Speed;

/// <summary>
/// Stable Diffusion 1.x, and the denoiser of SDXL, written down as diffusers and transformers run it, to be compared
/// with: weights by their names, contiguous (B, C, H, W), nothing kept from one step to the next. It knows the engine
/// only for reading files.
/// </summary>
internal sealed class PlainModel : IDisposable
{
    private readonly List<CheckpointWeightSource> _sources = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, Tensor>> _components = [];
    private readonly StableDiffusionProfile _profile;
    private readonly ScalarType _dtype;
    private IReadOnlyDictionary<string, Tensor> _weights = new Dictionary<string, Tensor>();

    public PlainModel(StableDiffusionProfile profile, ComputeTarget target, bool training)
    {
        (_profile, _dtype) = (profile, target.Dtype);
        foreach (var component in training ? ["text_encoder", "unet", "vae"] : new[] { "text_encoder", "unet" })
        {
            using var stored = profile.OpenWeights(component);
            var source = new CheckpointWeightSource(stored, target.Dtype, target.Device);
            foreach (var name in stored.Names)
            {
                source.Take(name, [.. stored.Entry(name).Shape]);
            }

            source.ReadAll();
            _sources.Add(source);
            _components.Add(component, source.Taken);
        }
    }

    /// <summary>
    /// Is told of each convolution, linear layer and attention of the text encoder and the denoiser, which every way
    /// must do in every step; null: nothing.
    /// </summary>
    public Action<Kernel>? Seen { get; set; }

    public Tensor Vocabulary => _components["text_encoder"]["text_model.embeddings.token_embedding.weight"];

    /// <summary>(B, 77) ids to (B, 77, d).</summary>
    public Tensor Text(Tensor ids, Tensor vocabulary)
    {
        using var scope = NewDisposeScope();
        _weights = _components["text_encoder"];
        var config = _profile.TextConfig;
        var x =
            vocabulary.index_select(0, ids.flatten()).view(ids.shape[0], ids.shape[1], -1)
            + W("text_model.embeddings.position_embedding.weight");
        for (var i = 0; i < config.NumHiddenLayers; i++)
        {
            var layer = $"text_model.encoder.layers.{i}";
            var h = LayerNorm($"{layer}.layer_norm1", x);
            var attention = Attend(
                Linear($"{layer}.self_attn.q_proj", h),
                Linear($"{layer}.self_attn.k_proj", h),
                Linear($"{layer}.self_attn.v_proj", h),
                config.NumAttentionHeads,
                causal: true
            );
            x = x + Linear($"{layer}.self_attn.out_proj", attention);
            h = Linear($"{layer}.mlp.fc1", LayerNorm($"{layer}.layer_norm2", x));
            h = config.QuickGelu ? h * sigmoid(1.702 * h) : F.gelu(h);
            x = x + Linear($"{layer}.mlp.fc2", h);
        }

        return LayerNorm("text_model.final_layer_norm", x).MoveToOuterDisposeScope();
    }

    /// <summary>(B, C, h, w), (B) and (B, 77, d) to (B, C, h, w).</summary>
    public Tensor UNet(Tensor sample, Tensor timesteps, Tensor states, AddedConditioning? added = null)
    {
        using var scope = NewDisposeScope();
        _weights = _components["unet"];
        var config = _profile.UNetConfig;
        var levels = config.BlockOutChannels.Length;
        var temb = Linear(
            "time_embedding.linear_2",
            F.silu(Linear("time_embedding.linear_1", Sinusoids(timesteps, config.BlockOutChannels[0]).to(_dtype)))
        );
        if (added is not null)
        {
            var times = Sinusoids(added.TimeIds.flatten(), config.AdditionTimeEmbedDim)
                .view(added.TimeIds.shape[0], -1)
                .to(_dtype);
            temb =
                temb
                + Linear(
                    "add_embedding.linear_2",
                    F.silu(Linear("add_embedding.linear_1", cat([added.TextEmbeds, times], -1)))
                );
        }

        var h = Conv("conv_in", sample);
        var skips = new Stack<Tensor>([h]);
        for (var level = 0; level < levels; level++)
        {
            for (var i = 0; i < config.LayersPerBlock; i++)
            {
                h = Resnet($"down_blocks.{level}.resnets.{i}", h, config.NormEps, temb);
                h = config.DownAttention[level]
                    ? Transformer($"down_blocks.{level}.attentions.{i}", h, states, level)
                    : h;
                skips.Push(h);
            }

            if (level < levels - 1)
            {
                h = Conv($"down_blocks.{level}.downsamplers.0.conv", h, stride: 2);
                skips.Push(h);
            }
        }

        h = Resnet("mid_block.resnets.0", h, config.NormEps, temb);
        h = Transformer("mid_block.attentions.0", h, states, levels - 1);
        h = Resnet("mid_block.resnets.1", h, config.NormEps, temb);
        for (var index = 0; index < levels; index++)
        {
            for (var i = 0; i <= config.LayersPerBlock; i++)
            {
                h = Resnet($"up_blocks.{index}.resnets.{i}", cat([h, skips.Pop()], 1), config.NormEps, temb);
                h = config.UpAttention[index]
                    ? Transformer($"up_blocks.{index}.attentions.{i}", h, states, levels - 1 - index)
                    : h;
            }

            h =
                index < levels - 1
                    ? Conv(
                        $"up_blocks.{index}.upsamplers.0.conv",
                        F.interpolate(h, skips.Peek().shape[2..], mode: InterpolationMode.Nearest)
                    )
                    : h;
        }

        return Conv("conv_out", F.silu(GroupNorm("conv_norm_out", h, config.NormEps))).MoveToOuterDisposeScope();
    }

    /// <summary>(B, 3, H, W) to a sample of its latents, scaled, (B, C, h, w).</summary>
    public Tensor Encode(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        _weights = _components["vae"];
        var seen = Seen;
        Seen = null;
        var config = _profile.VaeConfig;
        var levels = config.BlockOutChannels.Length;
        var h = Conv("encoder.conv_in", pixels);
        for (var level = 0; level < levels; level++)
        {
            for (var i = 0; i < config.LayersPerBlock; i++)
            {
                h = Resnet($"encoder.down_blocks.{level}.resnets.{i}", h, 1e-6);
            }

            h =
                level < levels - 1
                    ? Conv(
                        $"encoder.down_blocks.{level}.downsamplers.0.conv",
                        F.pad(h, [0, 1, 0, 1]),
                        stride: 2,
                        padding: 0
                    )
                    : h;
        }

        h = Resnet("encoder.mid_block.resnets.0", h, 1e-6);
        var attention = "encoder.mid_block.attentions.0";
        string[] names = _weights.ContainsKey($"{attention}.query.weight")
            ? ["query", "key", "value", "proj_attn"]
            : ["to_q", "to_k", "to_v", "to_out.0"];
        var tokens = GroupNorm($"{attention}.group_norm", h, 1e-6).flatten(2).transpose(1, 2);
        tokens = Attend(
            Linear($"{attention}.{names[0]}", tokens),
            Linear($"{attention}.{names[1]}", tokens),
            Linear($"{attention}.{names[2]}", tokens),
            1
        );
        h = Linear($"{attention}.{names[3]}", tokens).transpose(1, 2).reshape(h.shape) + h;
        h = Resnet("encoder.mid_block.resnets.1", h, 1e-6);
        var moments = Conv(
                "quant_conv",
                Conv("encoder.conv_out", F.silu(GroupNorm("encoder.conv_norm_out", h, 1e-6))),
                padding: 0
            )
            .chunk(2, 1);
        Seen = seen;
        var deviation = (0.5 * moments[1].clamp(-30, 20)).exp();
        return ((moments[0] + (deviation * randn_like(deviation))) * config.ScalingFactor).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _sources.ForEach(source => source.Dispose());

    private Tensor W(string name) => _weights[name];

    private Tensor Resnet(string name, Tensor x, double eps, Tensor? temb = null)
    {
        using var scope = NewDisposeScope();
        var h = Conv($"{name}.conv1", F.silu(GroupNorm($"{name}.norm1", x, eps)));
        h = temb is null ? h : h + Linear($"{name}.time_emb_proj", F.silu(temb)).unsqueeze(-1).unsqueeze(-1);
        h = Conv($"{name}.conv2", F.silu(GroupNorm($"{name}.norm2", h, eps)));
        x = _weights.ContainsKey($"{name}.conv_shortcut.weight") ? Conv($"{name}.conv_shortcut", x, padding: 0) : x;
        return (x + h).MoveToOuterDisposeScope();
    }

    private Tensor Transformer(string name, Tensor x, Tensor states, int level)
    {
        using var scope = NewDisposeScope();
        var config = _profile.UNetConfig;
        Tensor Tokens(Tensor map) => map.permute(0, 2, 3, 1).reshape(map.shape[0], -1, map.shape[1]);
        Tensor Map(Tensor tokens) =>
            tokens.reshape(x.shape[0], x.shape[2], x.shape[3], -1).permute(0, 3, 1, 2).contiguous();
        var h = GroupNorm($"{name}.norm", x, 1e-6);
        h = config.UseLinearProjection
            ? Linear($"{name}.proj_in", Tokens(h))
            : Tokens(Conv($"{name}.proj_in", h, padding: 0));
        for (var i = 0; i < config.TransformerLayersPerBlock[level]; i++)
        {
            var block = $"{name}.transformer_blocks.{i}";
            var normed = LayerNorm($"{block}.norm1", h);
            h = h + CrossAttention($"{block}.attn1", normed, normed, config.NumAttentionHeads[level]);
            h =
                h
                + CrossAttention(
                    $"{block}.attn2",
                    LayerNorm($"{block}.norm2", h),
                    states,
                    config.NumAttentionHeads[level]
                );
            var gated = Linear($"{block}.ff.net.0.proj", LayerNorm($"{block}.norm3", h)).chunk(2, -1);
            h = h + Linear($"{block}.ff.net.2", gated[0] * F.gelu(gated[1]));
        }

        h = config.UseLinearProjection
            ? Map(Linear($"{name}.proj_out", h))
            : Conv($"{name}.proj_out", Map(h), padding: 0);
        return (h + x).MoveToOuterDisposeScope();
    }

    private Tensor CrossAttention(string name, Tensor x, Tensor context, int heads) =>
        Linear(
            $"{name}.to_out.0",
            Attend(Linear($"{name}.to_q", x), Linear($"{name}.to_k", context), Linear($"{name}.to_v", context), heads)
        );

    private Tensor Attend(Tensor q, Tensor k, Tensor v, long heads, bool causal = false)
    {
        Tensor Heads(Tensor x) => x.view(x.shape[0], -1, heads, x.shape[2] / heads).transpose(1, 2);
        var (query, key) = (Heads(q), Heads(k));
        Seen?.Invoke(
            new Kernel(
                "attention",
                Kernel.Text(query.shape),
                Kernel.Text(key.shape),
                Causal: causal,
                Backward: query.requires_grad || key.requires_grad
            )
        );
        return F.scaled_dot_product_attention(query, key, Heads(v), is_casual: causal).transpose(1, 2).reshape(q.shape);
    }

    private Tensor Linear(string name, Tensor x)
    {
        var weight = W($"{name}.weight");
        Seen?.Invoke(new Kernel("linear", Kernel.Text(x.shape), Kernel.Text(weight.shape), Backward: x.requires_grad));
        return F.linear(x, weight, _weights.GetValueOrDefault($"{name}.bias"));
    }

    private Tensor Conv(string name, Tensor x, long stride = 1, long padding = 1)
    {
        var weight = W($"{name}.weight");
        Seen?.Invoke(
            new Kernel(
                "conv",
                Kernel.Text(x.shape),
                Kernel.Text(weight.shape),
                stride,
                padding,
                Backward: x.requires_grad
            )
        );
        return F.conv2d(x, weight, W($"{name}.bias"), [stride, stride], [padding, padding]);
    }

    private Tensor GroupNorm(string name, Tensor x, double eps) =>
        F.group_norm(
            x,
            name.StartsWith("encoder", StringComparison.Ordinal)
                ? _profile.VaeConfig.NormNumGroups
                : _profile.UNetConfig.NormNumGroups,
            W($"{name}.weight"),
            W($"{name}.bias"),
            eps
        );

    private Tensor LayerNorm(string name, Tensor x) =>
        F.layer_norm(x, [x.shape[^1]], W($"{name}.weight"), W($"{name}.bias"), 1e-5);

    private static Tensor Sinusoids(Tensor timesteps, int width)
    {
        var frequencies = (
            -Math.Log(10000) * arange(width / 2, ScalarType.Float32, timesteps.device) / (width / 2)
        ).exp();
        var angles = timesteps.to(ScalarType.Float32).unsqueeze(-1) * frequencies;
        return cat([angles.cos(), angles.sin()], -1); // flip_sin_to_cos
    }
}
