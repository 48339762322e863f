using Dti.Engine.Configs;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>The settings of a Gemma 2 text encoder (<c>text_encoder/config.json</c>, transformers' Gemma2Config).</summary>
internal sealed record Gemma2Config
{
    private const string AttentionKey = "attn_implementation";

    /// <summary>V.</summary>
    public required int VocabSize { get; init; }

    /// <summary>d.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the gated layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Layers.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>Heads of queries.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Heads of keys and values; each serves several heads of queries.</summary>
    public required int NumKeyValueHeads { get; init; }

    /// <summary>Width of a head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Scores are divided by its square root.</summary>
    public required double QueryPreAttnScalar { get; init; }

    /// <summary>ε of the norms.</summary>
    public required double RmsNormEps { get; init; }

    /// <summary>Base of the rotary positions.</summary>
    public required double RopeTheta { get; init; }

    /// <summary>Positions that a sliding layer looks back, itself included.</summary>
    public required int SlidingWindow { get; init; }

    /// <summary>Which layers slide.</summary>
    public required IReadOnlyList<bool> Slides { get; init; }

    /// <summary>
    /// The bound c of attention scores, c·tanh(s/c); null: they are not bounded, which is what transformers' <c>sdpa</c>
    /// attention computes, whatever the config says. <c>attn_implementation</c> in the config, <c>eager</c> or
    /// <c>sdpa</c>, decides it here and in transformers.
    /// </summary>
    public double? Softcap { get; init; }

    /// <summary>Reads the config.</summary>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static Gemma2Config Parse(ComponentConfig config)
    {
        config.Require("attention_bias", false);
        config.RequireOneOf("hidden_activation", ["\"gelu_pytorch_tanh\""]);
        config.RequireOneOf("use_bidirectional_attention", ["null", "false"]);
        var rope = config.Section("rope_parameters");
        rope.RequireOneOf("rope_type", ["\"default\""]);
        config.RequireAbsent("rope_scaling");
        var (layers, heads) = (
            config.Int("num_hidden_layers", 26, 1, 256),
            config.Int("num_attention_heads", 8, 1, 256)
        );
        var attention = config.String(AttentionKey, "sdpa");
        var softcap = config.Double("attn_logit_softcapping", 50);
        return new Gemma2Config
        {
            VocabSize = config.Int("vocab_size", 256_000, 1, 2_000_000),
            HiddenSize = config.Int("hidden_size", 2304, 1, 65_536),
            IntermediateSize = config.Int("intermediate_size", 9216, 1, 262_144),
            NumHiddenLayers = layers,
            NumAttentionHeads = heads,
            NumKeyValueHeads =
                config.Int("num_key_value_heads", 4, 1, heads) is var shared && heads % shared == 0
                    ? shared
                    : throw config.Unsupported("num_key_value_heads", $"{shared} for {heads} attention heads"),
            HeadDim =
                config.Int("head_dim", 256, 2, 4096) is var width && width % 2 == 0
                    ? width
                    : throw config.Unsupported("head_dim", $"{width}"),
            QueryPreAttnScalar = Positive("query_pre_attn_scalar", 256),
            RmsNormEps = Positive("rms_norm_eps", 1e-6),
            RopeTheta = rope.Double("rope_theta", Positive("rope_theta", 10_000)),
            SlidingWindow = config.Int("sliding_window", 4096, 1, 1 << 20),
            Slides =
                config.KindOf("layer_types") == default
                    ? [.. Enumerable.Range(0, layers).Select(layer => layer % 2 == 0)]
                    :
                    [
                        .. config
                            .Strings("layer_types", layers)
                            .Select(type =>
                                type switch
                                {
                                    "sliding_attention" => true,
                                    "full_attention" => false,
                                    _ => throw config.Unsupported("layer_types", type),
                                }
                            ),
                    ],
            Softcap = attention switch
            {
                "sdpa" => null,
                "eager" => softcap,
                _ => throw config.Unsupported(AttentionKey, $"'{attention}' (sdpa and eager are)"),
            },
        };

        double Positive(string key, double absent) =>
            config.Double(key, absent) is > 0 and var value
                ? value
                : throw config.Unsupported(key, "that is not above 0");
    }
}
